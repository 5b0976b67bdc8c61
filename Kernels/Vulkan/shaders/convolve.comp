// Causal depthwise convolution along each row's path: y[row][c] = Σ_j weight[j][c] · x_j[c] + bias[c], where the last x_j is the row
// itself, the one before it its parent, and so on; what lies before the step is in `current`. The sum is one chain, the oldest first.
//
// Also keeps the inputs that later steps need: those of uncertain rows in `kept`, and in `next` the last ones after the certain rows.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "memory.glsl"
#include "mathematics.glsl"

layout(local_size_x = 64) in;
// Whether the step's rows are a tree.
layout(constant_id = 0) const bool IS_TREE = false;
layout(constant_id = 1) const bool HAS_BIAS = false;
// Whether SiLU follows.
layout(constant_id = 2) const bool ACTIVATES = false;

layout(push_constant, scalar) uniform Parameters {
    Floats x, y, weight, bias;
    // The last inputs before the step, the oldest first, and those after its certain rows; what uncertain rows leave.
    Floats current, next, kept;
    Integers depths, pathStarts, paths;
    uint channels, window, rows, certain, xStride, yStride, keptStride;
} p;

// The input `age` tokens before row `row` on its path.
float inputBefore(uint row, uint age, uint channel) {
    uint depth = uint(p.depths.at[row]);
    if (age > depth) return p.current.at[(p.window + depth - age) * p.channels + channel];
    uint source = IS_TREE ? uint(p.paths.at[uint(p.pathStarts.at[row + 1]) - 1 - age]) : row - age;
    return p.x.at[source * p.xStride + channel];
}

void main() {
    uint channel = gl_WorkGroupID.x * gl_WorkGroupSize.x + gl_LocalInvocationID.x, row = gl_WorkGroupID.y;
    if (channel >= p.channels) return;
    if (row >= p.rows) {
        uint index = row - p.rows;
        p.next.at[index * p.channels + channel] = inputBefore(p.certain - 1, p.window - 1 - index, channel);
        return;
    }
    precise float sum = 0.0;
    for (uint j = 0; j <= p.window; j++)
        sum = fma(p.weight.at[j * p.channels + channel], inputBefore(row, p.window - j, channel), sum);
    if (HAS_BIAS) sum += p.bias.at[channel];
    if (ACTIVATES) sum = swish(sum, sum);
    p.y.at[row * p.yStride + channel] = sum;
    if (row >= p.certain)
        p.kept.at[(row - p.certain) * p.keptStride + channel] = p.x.at[row * p.xStride + channel];
}
