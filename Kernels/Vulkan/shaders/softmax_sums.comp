// The sum of the softmax numerators of a row of logits, and for each top token the sum of those of the tokens before it.
//
// Each lane adds up the same number of consecutive blocks. The sum before them is that of the lanes before.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "memory.glsl"
#include "softmax.glsl"

layout(local_size_x = 128) in;

layout(push_constant, scalar) uniform Parameters {
    Floats logits;
    Words2 keys;
    Floats blocks;
    // The total, then the sum before the token of each key.
    Floats sums;
    uint count, stride, keyStride, blockStride, sumStride, keyCount;
    float scale;
} p;

shared float lanes[gl_WorkGroupSize.x];

void main() {
    uint local = gl_LocalInvocationID.x, row = gl_WorkGroupID.x, width = gl_WorkGroupSize.x;
    uint blockCount = (p.count + BLOCK - 1) / BLOCK, share = (blockCount + width - 1) / width;
    uint firstBlock = row * p.blockStride;
    precise float sum = 0.0;
    for (uint b = local * share; b < min((local + 1) * share, blockCount); b++) sum += p.blocks.at[firstBlock + b];
    lanes[local] = sum;
    for (uint distance = 1; distance < width; distance *= 2) {
        barrier();
        float earlier = local >= distance ? lanes[local - distance] : 0.0;
        barrier();
        sum += earlier;
        lanes[local] = sum;
    }
    barrier();
    if (local == 0) p.sums.at[row * p.sumStride] = lanes[width - 1];
    if (local >= p.keyCount) return;
    uvec2 key = p.keys.at[row * p.keyStride + local];
    precise float before = 0.0;
    if (key.y != 0) {
        uint token = ~key.x, block = token / BLOCK, lane = block / share;
        float largest = logitOf(p.keys.at[row * p.keyStride].y);
        if (lane > 0) before = lanes[lane - 1];
        for (uint b = lane * share; b < block; b++) before += p.blocks.at[firstBlock + b];
        for (uint i = block * BLOCK; i < token; i++)
            before += numerator(p.logits.at[row * p.stride + i], largest, p.scale);
    }
    p.sums.at[row * p.sumStride + 1 + local] = before;
}
