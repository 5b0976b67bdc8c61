// y = f(a) or f(a, b) as in elementwise.comp. Also rounds y to eight bits for products, as in quantize.comp.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "memory.glsl"
#include "eight_bits.glsl"
#include "activation.glsl"

layout(local_size_x = 64) in;
#include "quantize_group.glsl"
layout(constant_id = 2) const uint ACTIVATION = 0;

layout(push_constant, scalar) uniform Parameters {
    Floats4 a, b, y;
    Words groups;
    // `count` is the length of a row in groups of four.
    uint count, aStride, bStride, yStride;
} p;

void main() {
    uint row = gl_WorkGroupID.y, index = gl_WorkGroupID.x * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
    bool exists = index < p.count;
    vec4 y = vec4(0.0);
    if (exists) {
        vec4 gate = p.a.at[row * (p.aStride / 4) + index], up = vec4(0.0);
        if (IS_GATED) up = p.b.at[row * (p.bStride / 4) + index];
        y.x = activated(ACTIVATION, gate.x, up.x);
        y.y = activated(ACTIVATION, gate.y, up.y);
        y.z = activated(ACTIVATION, gate.z, up.z);
        y.w = activated(ACTIVATION, gate.w, up.w);
        p.y.at[row * (p.yStride / 4) + index] = y;
    }
    quantizeFour(y, exists, p.groups, row * p.count + index);
}
