// Operations on single elements: activations, sums, scaling.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "memory.glsl"
#include "activation.glsl"

layout(local_size_x = 128) in;
// 0 to 6: y = f(a) or f(a, b) with the functions of activation.glsl for f; 7: y = fma(scalar, a, y); 8: y = scalar · a;
// 9: y = b[group] · a, with row i of b for row i; 10: y = scalar · tanh(a / scalar); 11: y = Σ_j b[j] · a[row · count + j];
// 12: y = fma(b[group], a, y); 13: y = exp(b[group] · a).
layout(constant_id = 0) const uint OPERATION = 0;
// Whether operation 11 is followed by sum = fma(scalar, y, sum).
layout(constant_id = 2) const bool ADDS = false;

layout(push_constant, scalar) uniform Parameters {
    Floats a, b, y, sum;
    // `count` is the number of experts of a row, or of columns of a group.
    uint columns, aStride, bStride, yStride, sumStride, count;
    float scalar;
} p;

void main() {
    uint column = gl_WorkGroupID.x * gl_WorkGroupSize.x + gl_LocalInvocationID.x, row = gl_WorkGroupID.y;
    if (column >= p.columns) return;
    uint target = row * p.yStride + column, source = row * p.aStride + column;
    precise float y;
    if (OPERATION == 13) {
        precise float x = p.b.at[column / p.count] * p.a.at[source];
        y = exponential(x);
    } else if (OPERATION == 12) {
        y = fma(p.b.at[column / p.count], p.a.at[source], p.y.at[target]);
    } else if (OPERATION == 11) {
        y = 0.0;
        for (uint j = 0; j < p.count; j++)
            y = fma(p.b.at[row * p.count + j], p.a.at[(row * p.count + j) * p.aStride + column], y);
    } else if (OPERATION == 10) {
        y = p.scalar * hyperbolicTangent(p.a.at[source] / p.scalar);
    } else if (OPERATION == 9) {
        y = p.b.at[row * p.bStride + column / p.count] * p.a.at[source];
    } else if (OPERATION == 8) {
        y = p.scalar * p.a.at[source];
    } else if (OPERATION == 7) {
        y = fma(p.scalar, p.a.at[source], p.y.at[target]);
    } else {
        y = activated(OPERATION, p.a.at[source], IS_GATED ? p.b.at[row * p.bStride + column] : 0.0);
    }
    p.y.at[target] = y;
    if (ADDS) {
        uint place = row * p.sumStride + column;
        precise float sum = fma(p.scalar, y, p.sum.at[place]);
        p.sum.at[place] = sum;
    }
}
