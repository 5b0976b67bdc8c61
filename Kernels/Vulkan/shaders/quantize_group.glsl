// Rounding groups of 32 inputs of products to eight bits. A thread has four inputs, eight consecutive threads have a group, and
// eight consecutive groups are a super-block.

// Whether the groups of a super-block share a scale.
layout(constant_id = 0) const bool IS_SUPER = false;

shared uint magnitudes[gl_WorkGroupSize.x];
shared int sumsOfFour[gl_WorkGroupSize.x];

// Rounds `x`, and writes it, if it exists, as inputs 4 · place to 4 · place + 3 of `groups`. All threads must call this.
void quantizeFour(vec4 x, bool exists, Words groups, uint place) {
    uint local = gl_LocalInvocationID.x, first = local & ~7u;
    uint magnitude = 0;
    [[unroll]] for (int i = 0; i < 4; i++) magnitude = max(magnitude, magnitudeBits(x[i]));
    barrier();
    magnitudes[local] = magnitude;
    barrier();
    [[unroll]] for (uint i = 0; i < 8; i++) magnitude = max(magnitude, magnitudes[first + i]);
    if (IS_SUPER) {
        barrier();
        magnitudes[local] = magnitude;
        barrier();
        [[unroll]] for (uint i = 0; i < 64; i += 8) magnitude = max(magnitude, magnitudes[(local & ~63u) + i]);
    }
    float factor = quantizingFactor(magnitude);
    // Not in an unrolled loop, in which the compiler drops `precise`.
    ivec4 quanta = ivec4(
        quantum(x.x, factor), quantum(x.y, factor), quantum(x.z, factor), quantum(x.w, factor));
    uvec4 bytes = uvec4(quanta & 255);
    uint word = bytes.x | bytes.y << 8 | bytes.z << 16 | bytes.w << 24;
    sumsOfFour[local] = quanta.x + quanta.y + quanta.z + quanta.w;
    barrier();
    if (!exists) return;
    uint start = 12 * (place / 8);
    groups.at[start + place % 8] = word;
    if (place % 8 != 0) return;
    ivec2 sums = ivec2(0);
    [[unroll]] for (uint i = 0; i < 4; i++) sums += ivec2(sumsOfFour[first + i], sumsOfFour[first + i + 4]);
    precise float scale = blockScale(magnitude), scaledSum = scale * float(sums.x + sums.y);
    if (!IS_SUPER) {
        scaledSum = roundedToHalf(scaledSum);
        scale = roundedToHalf(scale);
    }
    groups.at[start + 8] = floatBitsToUint(scale);
    groups.at[start + 9] = floatBitsToUint(scaledSum);
    groups.at[start + 10] = uint(sums.x & 0xffff) | uint(sums.y) << 16;
    groups.at[start + 11] = 0;
}
