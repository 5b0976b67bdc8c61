// x[i] = scale · table[tokens[i]]. The table is stored as planes, like weights.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "memory.glsl"
#include "weights.glsl"

layout(local_size_x = 64) in;
// 0: quantised, in groups of 32; 1, 2, 3: f32, f16, bf16, in groups of eight.
layout(constant_id = 8) const uint FLOAT_TYPE = 0;

layout(push_constant, scalar) uniform Parameters {
    Words4 low;
    Words2 high;
    Bytes scales;
    Halves factors;
    Integers tokens;
    Floats x;
    // `pieces` is the number of groups of a row.
    uint pieces, columns, stride;
    float scale;
} p;

void store(uint row, uint column, float value) {
    precise float scaled = value * p.scale;
    if (column < p.columns) p.x.at[row * p.stride + column] = scaled;
}

float floatAt(uint index) {
    if (FLOAT_TYPE == 1) return Floats(p.low).at[index];
    uint bits = uint(Halves(p.low).at[index]);
    return FLOAT_TYPE == 2 ? fromHalf(bits) : uintBitsToFloat(bits << 16);
}

void main() {
    uint piece = gl_WorkGroupID.x * gl_WorkGroupSize.x + gl_LocalInvocationID.x, row = gl_WorkGroupID.y;
    if (piece >= p.pieces) return;
    uint index = uint(p.tokens.at[row]) * p.pieces + piece;
    if (FLOAT_TYPE != 0) {
        for (uint i = 0; i < 8; i++) store(row, 8 * piece + i, floatAt(8 * index + i));
        return;
    }
    Group group = loadGroup(p.low, p.high, p.scales, p.factors, index);
    for (uint i = 0; i < 32; i++) {
        int word = group.values[i / 4];
        // Quanta of less than eight bits without a codebook are never negative.
        int value = (word << 24 - 8 * (i % 4) >> 24) + OFFSET;
        precise float element = group.factor * float(group.scales[i / 16]);
        element *= float(value);
        if (HAS_MINIMUM && IS_SUPER) {
            precise float below = group.minimum * float(group.minima[i / 16]);
            element -= below;
        } else if (HAS_MINIMUM) {
            element += group.minimum;
        }
        store(row, 32 * piece + i, element);
    }
}
