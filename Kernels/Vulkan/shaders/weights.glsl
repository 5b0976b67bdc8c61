// Loading weights: groups of 32 quanta, split into planes (Kernels/Vulkan/README.md, "Planes").

// Bits of a quantum in the low plane (2, 4 or 8) and in the high plane (0, 1 or 2); the offset that is added to the quantum.
layout(constant_id = 0) const uint LOW_BITS = 4;
layout(constant_id = 1) const uint HIGH_BITS = 0;
layout(constant_id = 2) const int OFFSET = 0;
// 0: quanta are values; 1: indices of IQ4_NL's values; 2: indices of MXFP4's values, doubled.
layout(constant_id = 3) const uint CODEBOOK = 0;
// Whether groups have integer scales, and eight groups share factors.
layout(constant_id = 4) const bool IS_SUPER = false;
layout(constant_id = 5) const bool HAS_MINIMUM = false;
// Scales of a group: one, or one for each half.
layout(constant_id = 6) const uint SCALES = 1;
// Whether factors are the upper halves of f32 instead of f16.
layout(constant_id = 7) const bool HAS_WIDE_FACTORS = false;

struct Group {
    // Element i holds quanta 4i to 4i + 3, one byte each, without the offset.
    int values[8];
    float factor, minimum;
    ivec2 scales, minima;
};

// The value of a codebook for a nibble, as a byte.
uint entry(uint nibble) {
    uvec4 book = uvec4(0x03020100u, 0x0c080604u, 0xfdfeff00u, 0xf4f8fafcu);
    if (CODEBOOK == 1) book = uvec4(0xbfad9881u, 0xf6eaddcfu, 0x26190d01u, 0x71594535u);
    uint four = nibble < 8u ? (nibble < 4u ? book.x : book.y) : (nibble < 12u ? book.z : book.w);
    return bitfieldExtract(four, int(nibble & 3u) * 8, 8);
}

float factorAt(Halves factors, uint index) {
    uint bits = uint(factors.at[index]);
    return HAS_WIDE_FACTORS ? uintBitsToFloat(bits << 16) : fromHalf(bits);
}

// Group `index` of the matrix.
Group loadGroup(Words4 low, Words2 high, Bytes scales, Halves factors, uint index) {
    Group group;
    uint words[8];
    if (LOW_BITS == 8) {
        uvec4 first = low.at[2 * index], second = low.at[2 * index + 1];
        for (int i = 0; i < 4; i++) {
            words[i] = first[i];
            words[i + 4] = second[i];
        }
    } else if (LOW_BITS == 4) {
        uvec4 nibbles = low.at[index];
        for (int i = 0; i < 4; i++) {
            words[i] = nibbles[i] & 0x0f0f0f0fu;
            words[i + 4] = nibbles[i] >> 4 & 0x0f0f0f0fu;
        }
    } else {
        uvec2 pairs = Words2(low).at[index];
        for (int i = 0; i < 8; i++) words[i] = pairs[i & 1] >> 2 * (i >> 1) & 0x03030303u;
    }
    if (HIGH_BITS == 1) {
        uint bits = Words(high).at[index];
        for (int i = 0; i < 8; i++) words[i] |= (bits >> i & 0x01010101u) << LOW_BITS;
    } else if (HIGH_BITS == 2) {
        uvec2 pairs = high.at[index];
        for (int i = 0; i < 8; i++) words[i] |= (pairs[i & 1] >> 2 * (i >> 1) & 0x03030303u) << LOW_BITS;
    }
    if (CODEBOOK != 0) {
        for (int i = 0; i < 8; i++) {
            uint word = words[i];
            words[i] = entry(word & 15u) | entry(word >> 8 & 15u) << 8 | entry(word >> 16 & 15u) << 16
                | entry(word >> 24) << 24;
        }
    }
    for (int i = 0; i < 8; i++) group.values[i] = int(words[i]);
    group.scales = ivec2(1);
    group.minima = ivec2(0);
    group.minimum = 0.0;
    if (IS_SUPER) {
        uint bytes = index * SCALES * (HAS_MINIMUM ? 2 : 1);
        group.scales = ivec2(scales.at[bytes], scales.at[bytes + SCALES - 1]);
        if (HAS_MINIMUM) group.minima = ivec2(scales.at[bytes + SCALES], scales.at[bytes + 2 * SCALES - 1]);
        index /= 8;
    }
    group.factor = factorAt(factors, HAS_MINIMUM ? 2 * index : index);
    if (HAS_MINIMUM) group.minimum = factorAt(factors, 2 * index + 1);
    return group;
}
