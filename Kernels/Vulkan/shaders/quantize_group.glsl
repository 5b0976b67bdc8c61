// Rounding a group of 32 inputs of products to eight bits, by one thread; eight threads in a row have a super-block's groups.

// Whether eight groups share a scale.
layout(constant_id = 0) const bool IS_SUPER = false;

shared uint magnitudes[gl_WorkGroupSize.x];

// Rounds the group `x` and writes it as number `place` of `groups`, where it exists; to be called by all threads.
void quantizeGroup(vec4 x[8], bool exists, Words4 groups, uint place) {
    uint local = gl_LocalInvocationID.x;
    uint magnitude = 0;
    for (int i = 0; i < 8; i++) {
        for (int j = 0; j < 4; j++) magnitude = max(magnitude, magnitudeBits(x[i][j]));
    }
    if (IS_SUPER) {
        barrier();
        magnitudes[local] = magnitude;
        barrier();
        for (uint i = 0; i < 8; i++) magnitude = max(magnitude, magnitudes[local / 8 * 8 + i]);
    }
    if (!exists) return;
    float factor = quantizingFactor(magnitude), scale = blockScale(magnitude);
    uint words[8];
    ivec2 sums = ivec2(0);
    for (int i = 0; i < 8; i++) {
        words[i] = 0;
        for (int j = 0; j < 4; j++) {
            int value = quantum(x[i][j], factor);
            words[i] |= uint(value & 255) << 8 * j;
            sums[i / 4] += value;
        }
    }
    precise float scaledSum = scale * float(sums.x + sums.y);
    if (!IS_SUPER) {
        scaledSum = roundedToHalf(scaledSum);
        scale = roundedToHalf(scale);
    }
    groups.at[3 * place] = uvec4(words[0], words[1], words[2], words[3]);
    groups.at[3 * place + 1] = uvec4(words[4], words[5], words[6], words[7]);
    groups.at[3 * place + 2] =
        uvec4(floatBitsToUint(scale), floatBitsToUint(scaledSum), uint(sums.x & 0xffff) | uint(sums.y) << 16, 0);
}
