// Turns a row's scores into softmax numerators in place, and writes 1 / their sum.
//
// Exact maximum first; then lane l sums the tokens l, l + 128, … in logical order, and the lanes are added in pairs at distance
// 64, 32, …, 1.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "memory.glsl"
#include "mathematics.glsl"
#include "step.glsl"
#include "row_sums.glsl"

layout(push_constant, scalar) uniform Parameters {
    Floats scores;
    Floats inverses;
    Floats sinks;
    Integers depths;
    uint scoreStride, heads, committed, window, firstRow, hasSinks;
    float scale, cap;
} p;

void main() {
    uint head = gl_WorkGroupID.x, row = p.firstRow + gl_WorkGroupID.y, local = gl_LocalInvocationID.x;
    uint position = LOGICAL_POSITION(row);
    uint count = position + 1 - firstVisible(position, p.window);
    uint place = gl_WorkGroupID.y * p.heads + head, start = place * p.scoreStride;
    float sink = p.hasSinks != 0 ? p.sinks.at[head] : 0.0;
    float largest = p.hasSinks != 0 ? sink : -3.402823466e38;
    for (uint j = local; j < count; j += WIDTH) {
        precise float score = p.scores.at[start + j] * p.scale;
        if (p.cap > 0.0) score = p.cap * hyperbolicTangent(score / p.cap);
        p.scores.at[start + j] = score;
        if (score > largest) largest = score;
    }
    largest = maximumOfRow(largest);
    precise float sum = 0.0;
    for (uint j = local; j < count; j += WIDTH) {
        float e = exponential(p.scores.at[start + j] - largest);
        p.scores.at[start + j] = e;
        sum += e;
    }
    sum = sumOfRow(sum);
    if (p.hasSinks != 0) sum += exponential(sink - largest);
    if (local == 0) p.inverses.at[place] = 1.0 / sum;
}
