// The top tokens of a row of logits: first the blocks with the largest maxima, then the largest logits of these blocks.
//
// A key is an order number (likelihood.glsl) followed by the complement of the index, so that no two keys are equal. The k-th
// largest key is found digit by digit, from the highest digit: each round counts, among the keys with the digits found so far, how
// many have each value of the next digit.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "memory.glsl"
#include "likelihood.glsl"

layout(local_size_x = 128) in;

layout(push_constant, scalar) uniform Parameters {
    Floats logits;
    Words maxima;
    // Complement of the token, order number.
    Words2 keys;
    uint count, stride, maximaStride, keyStride, wanted;
} p;

// Largest value of `wanted`.
const uint MOST = 64;
const uint DIGITS = 16, RADIX = 16;

shared uint bins[RADIX];
shared uint foundCount;
shared uvec2 found[MOST];
shared uint blocks[MOST];

// The key of block `i`, or of logit `i` of the blocks in `blocks`. The order number comes first.
uvec2 keyOf(bool isBlock, uint i) {
    uint row = gl_WorkGroupID.x;
    if (isBlock) return uvec2(p.maxima.at[row * p.maximaStride + i], ~i);
    uint token = blocks[i / BLOCK] * BLOCK + i % BLOCK;
    return uvec2(token < p.count ? likelihood(p.logits.at[row * p.stride + token]) : 0, ~token);
}

// Digit 0 is the highest.
uint shift(uint digit) { return 28 - 4 * (digit % 8); }
uint digitOf(uvec2 key, uint digit) { return (digit < 8 ? key.x : key.y) >> shift(digit) & 15; }

// Whether the digits before `digit` are those of `prefix`. The other digits of `prefix` are 0.
bool begins(uvec2 key, uvec2 prefix, uint digit) {
    uint low = digit % 8 == 0 ? 0 : ~0u << (shift(digit) + 4);
    return digit < 8 ? (key.x & low) == prefix.x : key.x == prefix.x && (key.y & low) == prefix.y;
}

// The smallest of the `wanted` largest of `n` keys, or a value below all keys if there are no more than `wanted`.
uvec2 least(bool isBlock, uint n) {
    uvec2 prefix = uvec2(0);
    uint left = p.wanted;
    for (uint digit = 0; digit < DIGITS; digit++) {
        if (gl_LocalInvocationID.x < RADIX) bins[gl_LocalInvocationID.x] = 0;
        barrier();
        // Neighbours mostly have the same digit. Counting runs avoids atomic operations that wait for each other.
        uint last = 0, run = 0;
        for (uint i = gl_LocalInvocationID.x; i < n; i += gl_WorkGroupSize.x) {
            uvec2 key = keyOf(isBlock, i);
            if (key.x == 0 || !begins(key, prefix, digit)) continue;
            uint next = digitOf(key, digit);
            if (next != last) {
                if (run > 0) atomicAdd(bins[last], run);
                last = next;
                run = 0;
            }
            run++;
        }
        if (run > 0) atomicAdd(bins[last], run);
        barrier();
        uint choice = RADIX - 1;
        while (choice > 0 && bins[choice] < left) left -= bins[choice--];
        bool isAll = bins[choice] <= left;
        if (digit < 8) prefix.x |= choice << shift(digit);
        else prefix.y |= choice << shift(digit);
        barrier();
        if (isAll) break;
    }
    return prefix;
}

// Puts the `wanted` largest of `n` keys into `found`, in any order.
void find(bool isBlock, uint n) {
    uvec2 bar = least(isBlock, n);
    if (gl_LocalInvocationID.x == 0) foundCount = 0;
    barrier();
    for (uint i = gl_LocalInvocationID.x; i < n; i += gl_WorkGroupSize.x) {
        uvec2 key = keyOf(isBlock, i);
        if (key.x == 0 || key.x < bar.x || (key.x == bar.x && key.y < bar.y)) continue;
        found[atomicAdd(foundCount, 1)] = key;
    }
    barrier();
}

void main() {
    uint local = gl_LocalInvocationID.x;
    find(true, (p.count + BLOCK - 1) / BLOCK);
    uint blockCount = foundCount;
    if (local < blockCount) blocks[local] = ~found[local].y;
    barrier();
    find(false, blockCount * BLOCK);
    if (local >= p.wanted) return;
    uint to = gl_WorkGroupID.x * p.keyStride;
    if (local >= foundCount) {
        p.keys.at[to + local] = uvec2(0);
        return;
    }
    uvec2 key = found[local];
    uint place = 0;
    for (uint i = 0; i < foundCount; i++)
        if (found[i].x > key.x || (found[i].x == key.x && found[i].y > key.y)) place++;
    p.keys.at[to + place] = key.yx;
}
