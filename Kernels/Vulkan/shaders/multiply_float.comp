// y[c][r] = Σ_k w[r][k] · x[c][k] + bias[r] with float weights.
//
// 32 lanes share a row: lane l takes the groups of eight l, l + 32, … of k in order, one fused multiply–add per element. Then
// the lanes are added in pairs at distance 16, 8, 4, 2, 1. Rows of weights and inputs are padded with zeros to whole groups.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "memory.glsl"
#include "elements.glsl"
#include "lanes.glsl"

layout(constant_id = 8) const uint ROWS = 1;
layout(constant_id = 9) const uint COLUMNS = 1;
layout(constant_id = 10) const bool HAS_EXPERTS = false;
layout(constant_id = 11) const bool HAS_BIAS = false;
// Whether sum[c][r] += scale · y[c][r] follows.
layout(constant_id = 12) const bool ADDS = false;
// Whether rows of inputs and outputs are parts of longer lines, with paddings that are no multiple of their length.
layout(constant_id = 13) const bool HAS_LINES = false;

layout(push_constant, scalar) uniform Parameters {
    Words4 weights;
    Floats4 inputs;
    Floats outputs;
    Floats bias;
    Integers experts;
    Floats sum;
    // `eights` is the length of a row in groups of eight.
    uint eights, rows, columns, inputStride, outputStride, sharing, sumStride;
    float scale;
    // With lines: the length of an input row; the rows of a line, and the line's length with its padding.
    uint inputLength, inputsOfLine, inputLine, outputsOfLine, outputLine;
} p;

shared float sums[SLICES * ROWS * COLUMNS * LANE_STRIDE];
#include "lane_sums.glsl"

// Four elements of an input row, zeros behind its end.
vec4 fourInputs(uint row, uint first) {
    uint start = row / p.inputsOfLine * p.inputLine + row % p.inputsOfLine * p.inputStride;
    vec4 four = vec4(0.0);
    for (uint i = 0; i < 4; i++)
        if (first + i < p.inputLength) four[i] = Floats(p.inputs).at[start + first + i];
    return four;
}

void main() {
    uint lane = gl_LocalInvocationID.x % LANES, slice = gl_LocalInvocationID.x / LANES;
    uint tileRow = flatGroup() * SLICES * ROWS, firstColumn = gl_WorkGroupID.z * COLUMNS;
    if (tileRow >= p.rows) return;
    uint expert = HAS_EXPERTS ? uint(p.experts.at[firstColumn]) : 0;
    precise float partial[ROWS * COLUMNS];
    for (uint i = 0; i < ROWS * COLUMNS; i++) partial[i] = 0.0;
    for (uint k = lane; k < p.eights; k += LANES) {
        Eight weights[ROWS];
        for (uint r = 0; r < ROWS; r++) {
            uint row = min(tileRow + slice * ROWS + r, p.rows - 1);
            weights[r] = loadEight(p.weights, (expert * p.rows + row) * p.eights + k);
        }
        for (uint c = 0; c < COLUMNS; c++) {
            uint column = min(firstColumn + c, p.columns - 1);
            vec4 first, second;
            if (HAS_LINES) {
                first = fourInputs(column / p.sharing, 8 * k);
                second = fourInputs(column / p.sharing, 8 * k + 4);
            } else {
                uint place = column / p.sharing * (p.inputStride / 4) + 2 * k;
                first = p.inputs.at[place];
                second = p.inputs.at[place + 1];
            }
            for (uint r = 0; r < ROWS; r++) {
                precise float sum = partial[r * COLUMNS + c];
                for (int i = 0; i < 4; i++) sum = fma(weights[r].first[i], first[i], sum);
                for (int i = 0; i < 4; i++) sum = fma(weights[r].second[i], second[i], sum);
                partial[r * COLUMNS + c] = sum;
            }
        }
    }
    for (uint i = 0; i < ROWS * COLUMNS; i++)
        sums[(slice * ROWS * COLUMNS + i) * LANE_STRIDE + lane] = partial[i];
    barrier();
    for (uint i = gl_LocalInvocationID.x; i < SLICES * ROWS * COLUMNS; i += gl_WorkGroupSize.x) {
        uint row = tileRow + i / COLUMNS, column = firstColumn + i % COLUMNS;
        if (row >= p.rows || column >= p.columns) continue;
        precise float y = sumOfLanes(i);
        if (HAS_BIAS) y += p.bias.at[expert * p.rows + row];
        uint start = HAS_LINES ? column / p.outputsOfLine * p.outputLine + column % p.outputsOfLine * p.outputStride
                               : column * p.outputStride;
        p.outputs.at[start + row] = y;
        if (ADDS) {
            uint place = column * p.sumStride + row;
            precise float sum = fma(p.scale, y, p.sum.at[place]);
            p.sum.at[place] = sum;
        }
    }
}
