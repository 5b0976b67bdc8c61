// y[i] = x[indices[i]]
#version 460
#extension GL_GOOGLE_include_directive : require
#include "memory.glsl"

layout(local_size_x = 64) in;

layout(push_constant, scalar) uniform Parameters {
    Floats4 x, y;
    Integers indices;
    // Length of a row in groups of four.
    uint count;
} p;

void main() {
    uint index = gl_WorkGroupID.x * gl_WorkGroupSize.x + gl_LocalInvocationID.x, row = gl_WorkGroupID.y;
    if (index < p.count) p.y.at[row * p.count + index] = p.x.at[uint(p.indices.at[row]) * p.count + index];
}
