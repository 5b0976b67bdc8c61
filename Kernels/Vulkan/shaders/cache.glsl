// Reading the key–value cache: for each head its slots, one after the other; rows are padded with zeros to multiples of eight.
#include "elements.glsl"

vec4 signedBytes(uint word) {
    return vec4(int(word << 24) >> 24, int(word << 16) >> 24, int(word << 8) >> 24, int(word) >> 24);
}

// Elements 8 · index to 8 · index + 7 of the cache.
Eight loadCached(Words4 elements, Halves scales, uint index) {
    if (ELEMENT != 3) return loadEight(elements, index);
    uvec2 bytes = index % 2 == 0 ? elements.at[index / 2].xy : elements.at[index / 2].zw;
    precise float scale = fromHalf(uint(scales.at[index / 4]));
    Eight eight;
    eight.first = scale * signedBytes(bytes.x);
    eight.second = scale * signedBytes(bytes.y);
    return eight;
}
