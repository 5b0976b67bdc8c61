// Loading eight elements of float weights, keys or values.

// 0: f32, 1: f16, 2: bf16; for keys and values also 3: eight-bit integers with an f16 scale for each 32.
layout(constant_id = 0) const uint ELEMENT = 0;

struct Eight { vec4 first, second; };

vec4 floatsOf(uvec2 bits) {
    return ELEMENT == 1 ? vec4(unpackHalf2x16(bits.x), unpackHalf2x16(bits.y))
                        : uintBitsToFloat(uvec4(bits.x << 16, bits.x & 0xffff0000u, bits.y << 16, bits.y & 0xffff0000u));
}

// Elements 8 · index to 8 · index + 7. Not for type 3.
Eight loadEight(Words4 elements, uint index) {
    Eight eight;
    if (ELEMENT == 0) {
        eight.first = uintBitsToFloat(elements.at[2 * index]);
        eight.second = uintBitsToFloat(elements.at[2 * index + 1]);
    } else {
        uvec4 bits = elements.at[index];
        eight.first = floatsOf(bits.xy);
        eight.second = floatsOf(bits.zw);
    }
    return eight;
}
