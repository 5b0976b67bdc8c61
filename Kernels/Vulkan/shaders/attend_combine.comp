// y[row][head][d] = Σ_c w[c] · values[c][d] / Σ_c w[c] · sum[c] over the chunks c of the tokens that a row sees, in order, with
// w[c] = exp(largest[c] − largest). Rows with one chunk are complete already.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "memory.glsl"
#include "mathematics.glsl"
#include "step.glsl"
#include "chunks.glsl"

const uint WIDTH = 64;
layout(local_size_x = 64) in;

layout(push_constant, scalar) uniform Parameters {
    Floats scores, outputs, sinks;
    Integers depths;
    uint dimension, outputStride, scoreStride, heads, committed, window, firstRow, rows, hasSinks;
} p;

shared float weights[WIDTH];
shared float parts[WIDTH];

void main() {
    uint local = gl_LocalInvocationID.x, d = gl_WorkGroupID.x * WIDTH + local;
    uint head = gl_WorkGroupID.y, row = gl_WorkGroupID.z, place = row * p.heads + head;
    uint position = LOGICAL_POSITION(p.firstRow + row);
    uint chunks = chunksOf(position + 1 - firstVisible(position, p.window));
    if (chunks == 1) return;
    float sink = p.hasSinks != 0 ? p.sinks.at[head] : 0.0;
    float largest = p.hasSinks != 0 ? sink : -3.402823466e38;
    for (uint c = 0; c < chunks; c++) largest = max(largest, p.scores.at[CHUNK_RESULT(place, c) + p.dimension]);
    precise float sum = 0.0, y = 0.0;
    // A thread computes the weight of every 64th chunk.
    for (uint first = 0; first < chunks; first += WIDTH) {
        uint count = min(WIDTH, chunks - first);
        barrier();
        if (local < count) {
            uint result = CHUNK_RESULT(place, first + local) + p.dimension;
            weights[local] = exponential(p.scores.at[result] - largest);
            parts[local] = p.scores.at[result + 1];
        }
        barrier();
        for (uint c = 0; c < count; c++) {
            sum = fma(weights[c], parts[c], sum);
            if (d < p.dimension) y = fma(weights[c], p.scores.at[CHUNK_RESULT(place, first + c) + d], y);
        }
    }
    if (p.hasSinks != 0) sum += exponential(sink - largest);
    precise float inverse = 1.0 / sum;
    y *= inverse;
    if (d < p.dimension) p.outputs.at[(p.firstRow + row) * p.outputStride + head * p.dimension + d] = y;
}
