// Operations on single elements: activations, sums, scaling.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "memory.glsl"
#include "activation.glsl"

layout(local_size_x = 128) in;
// 0, 1, 2: y = f(a) or f(a, b) with SiLU, GELU or the clamped SwiGLU for f; 3: y = fma(scalar, a, y); 4: y = scalar · a;
// 5: y = b[0] · a; 6: y = scalar · tanh(a / scalar); 7: y = Σ_j b[j] · a[row · used + j].
layout(constant_id = 0) const uint OPERATION = 0;
// Whether operation 7 is followed by sum = fma(scalar, y, sum).
layout(constant_id = 2) const bool ADDS = false;

layout(push_constant, scalar) uniform Parameters {
    Floats a, b, y, sum;
    uint columns, aStride, bStride, yStride, sumStride, used;
    float scalar;
} p;

void main() {
    uint column = gl_WorkGroupID.x * gl_WorkGroupSize.x + gl_LocalInvocationID.x, row = gl_WorkGroupID.y;
    if (column >= p.columns) return;
    uint target = row * p.yStride + column, source = row * p.aStride + column;
    precise float y;
    if (OPERATION == 7) {
        y = 0.0;
        for (uint j = 0; j < p.used; j++)
            y = fma(p.b.at[row * p.used + j], p.a.at[(row * p.used + j) * p.aStride + column], y);
    } else if (OPERATION == 6) {
        y = p.scalar * hyperbolicTangent(p.a.at[source] / p.scalar);
    } else if (OPERATION == 5) {
        y = p.b.at[row * p.bStride] * p.a.at[source];
    } else if (OPERATION == 4) {
        y = p.scalar * p.a.at[source];
    } else if (OPERATION == 3) {
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
