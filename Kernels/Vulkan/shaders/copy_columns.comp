// Copies groups of columns from each row of x to the same row of y.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "memory.glsl"

layout(local_size_x = 64) in;

layout(push_constant, scalar) uniform Parameters {
    Floats x, y;
    // Groups, and the columns of each.
    uint count, width;
    // The first column of the first group, and the columns between the beginnings of two groups.
    uint source, sourceStride, target, targetStride;
    uint xStride, yStride;
} p;

void main() {
    uint index = gl_WorkGroupID.x * gl_WorkGroupSize.x + gl_LocalInvocationID.x, row = gl_WorkGroupID.y;
    if (index >= p.count * p.width) return;
    uint group = index / p.width, column = index % p.width;
    p.y.at[row * p.yStride + p.target + group * p.targetStride + column] =
        p.x.at[row * p.xStride + p.source + group * p.sourceStride + column];
}
