// Writes a step's keys and values to the cache. Also rotates queries and keys in place, if they are not rotated yet.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "memory.glsl"
#include "eight_bits.glsl"
#include "rotation.glsl"

layout(local_size_x = 64) in;
// 0: f32, 1: f16, 3: eight-bit integers with an f16 scale for each 32. With 3, nothing is rotated.
layout(constant_id = 0) const uint ELEMENT = 0;
// Pairs to rotate, 0: none, 1: (2i, 2i + 1), 2: (i, i + pairs).
layout(constant_id = 1) const uint PAIRING = 0;

layout(push_constant, scalar) uniform Parameters {
    Floats queries, keys, values, rotation;
    Floats keyCache;
    Halves keyScales;
    Floats valueCache;
    Halves valueScales;
    uint pairs, rotationStride, queryHeads, queryStride, heads, slots, firstSlot;
    // Length of a head's key or value, and its padded length in the cache.
    uint keyDimension, keyPadded, keyStride;
    uint valueDimension, valuePadded, valueStride;
    // Workgroups for queries and for keys. Those for values follow.
    uint queryGroups, keyGroups;
} p;

void storeElement(Floats cache, uint index, float x) {
    if (ELEMENT == 0) {
        cache.at[index] = x;
    } else {
        Halves(cache).at[index] = uint16_t(packHalf2x16(vec2(x, 0.0)));
    }
}

void storePiece(Floats x, uint from, Floats cache, Halves scales, uint to) {
    if (ELEMENT != 3) {
        storeElement(cache, to, x.at[from]);
        return;
    }
    uint magnitude = 0;
    for (uint i = 0; i < 32; i++) magnitude = max(magnitude, magnitudeBits(x.at[from + i]));
    float factor = quantizingFactor(magnitude);
    for (uint i = 0; i < 32; i++) Bytes(cache).at[to + i] = int8_t(quantum(x.at[from + i], factor));
    scales.at[to / 32] = uint16_t(packHalf2x16(vec2(blockScale(magnitude), 0.0)));
}

void main() {
    uint group = gl_WorkGroupID.x, row = gl_WorkGroupID.y, angles = row * p.rotationStride;
    if (group < p.queryGroups) {
        uint index = group * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
        if (index >= p.pairs * p.queryHeads) return;
        uint pair = index % p.pairs, head = row * p.queryStride + index / p.pairs * p.keyDimension;
        rotatePair(
            p.queries, head + elementsOfPair(pair, p.pairs, PAIRING == 2), p.rotation, angles + 2 * pair);
        return;
    }
    group -= p.queryGroups;
    bool isValue = group >= p.keyGroups;
    if (isValue) group -= p.keyGroups;
    uint index = group * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
    uint pairs = isValue || PAIRING == 0 ? 0 : p.pairs, dimension = isValue ? p.valueDimension : p.keyDimension;
    // Pairs first, then the rest of the head.
    uint size = ELEMENT == 3 ? 32 : 1, pieces = dimension / size - pairs;
    if (index >= pieces * p.heads) return;
    uint head = index / pieces, piece = index % pieces;
    uint from = row * (isValue ? p.valueStride : p.keyStride) + head * dimension;
    uint to = (head * p.slots + p.firstSlot + row) * (isValue ? p.valuePadded : p.keyPadded);
    if (piece < pairs) {
        uvec2 pair = elementsOfPair(piece, pairs, PAIRING == 2);
        vec2 rotated = rotatePair(p.keys, from + pair, p.rotation, angles + 2 * piece);
        storeElement(p.keyCache, to + pair.x, rotated.x);
        storeElement(p.keyCache, to + pair.y, rotated.y);
        return;
    }
    uint element = (piece + pairs) * size;
    if (isValue) {
        storePiece(p.values, from + element, p.valueCache, p.valueScales, to + element);
    } else {
        storePiece(p.keys, from + element, p.keyCache, p.keyScales, to + element);
    }
}
