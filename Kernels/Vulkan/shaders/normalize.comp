// RMS norm and layer norm of consecutive values: of a row, or of each head of it. Heads have the same weights, or each of
// several its own. Options for whole rows:
// - first another norm, whose results are added to x; then the norm of the new x;
// - rounding of the results to eight bits for products, as in quantize.comp.
//
// Lane l sums the elements l, l + 128, …. Then the lanes are added in pairs at distance 64, 32, …, 1.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "memory.glsl"
#include "row_sums.glsl"
#include "eight_bits.glsl"
#include "quantize_group.glsl"

// Whether the mean is subtracted.
layout(constant_id = 1) const bool IS_CENTRED = false;
layout(constant_id = 2) const bool HAS_BIAS = false;
layout(constant_id = 3) const bool QUANTIZES = false;
// Whether x += scale · earlierY, with earlierY = norm(earlierX), comes first; and whether y = norm(x) follows it.
layout(constant_id = 4) const bool ADDS = false;
layout(constant_id = 5) const bool FOLLOWS = true;

// Memory that the threads of a workgroup write for each other.
layout(buffer_reference, scalar, buffer_reference_align = 4) coherent buffer Exchanged { float at[]; };

layout(push_constant, scalar) uniform Parameters {
    Exchanged x;
    Floats y, weight, bias;
    Words groups;
    Floats earlierX, earlierY, earlierWeight, earlierBias;
    // `weightCount` is the width, or a multiple of it.
    uint width, weightCount, xStride, yStride, earlierXStride, earlierYStride;
    float epsilon, earlierEpsilon, scale;
} p;

// The mean that is subtracted, and the factor that the difference is multiplied by.
struct Moments { precise float mean, factor; };

// The moments of the row that begins at `from`. A thread reads only elements that no other thread has written.
Moments momentsOf(Floats x, uint from, float epsilon) {
    precise float mean = 0.0;
    if (IS_CENTRED) {
        for (uint i = gl_LocalInvocationID.x; i < p.width; i += WIDTH) mean += x.at[from + i];
        mean = sumOfRow(mean) / float(p.width);
    }
    precise float squares = 0.0;
    for (uint i = gl_LocalInvocationID.x; i < p.width; i += WIDTH) {
        precise float value = x.at[from + i] - mean;
        squares = fma(value, value, squares);
    }
    precise float factor = 1.0 / sqrt(sumOfRow(squares) / float(p.width) + epsilon);
    return Moments(mean, factor);
}

// Element i of a row, whose weight and bias have the same number.
float normalized(float x, Moments moments, Floats weight, Floats bias, uint i) {
    precise float value = (x - moments.mean) * moments.factor;
    value = HAS_BIAS ? fma(value, weight.at[i], bias.at[i]) : value * weight.at[i];
    return value;
}

void main() {
    uint section = gl_WorkGroupID.x * p.width, local = gl_LocalInvocationID.x, row = gl_WorkGroupID.y;
    uint from = row * p.xStride + section, to = row * p.yStride + section, firstWeight = section % p.weightCount;
    if (ADDS) {
        uint earlier = row * p.earlierXStride, between = row * p.earlierYStride;
        Moments moments = momentsOf(p.earlierX, earlier, p.earlierEpsilon);
        for (uint i = local; i < p.width; i += WIDTH) {
            float y = normalized(p.earlierX.at[earlier + i], moments, p.earlierWeight, p.earlierBias, i);
            p.earlierY.at[between + i] = y;
            precise float sum = fma(p.scale, y, p.x.at[from + i]);
            p.x.at[from + i] = sum;
        }
        if (!FOLLOWS) return;
    }
    Moments moments = momentsOf(Floats(p.x), from, p.epsilon);
    if (!QUANTIZES) {
        for (uint i = local; i < p.width; i += WIDTH)
            p.y.at[to + i] = normalized(Floats(p.x).at[from + i], moments, p.weight, p.bias, firstWeight + i);
        return;
    }
    if (ADDS) {
        memoryBarrierBuffer();
        barrier();
    }
    uint count = p.width / 4;
    for (uint first = 0; first < count; first += WIDTH) {
        uint index = first + local;
        vec4 values = vec4(0.0);
        if (index < count) {
            for (uint j = 0; j < 4; j++) {
                uint i = 4 * index + j;
                float x = ADDS ? p.x.at[from + i] : Floats(p.x).at[from + i];
                values[j] = normalized(x, moments, p.weight, p.bias, i);
                p.y.at[to + i] = values[j];
            }
        }
        quantizeFour(values, index < count, p.groups, row * count + index);
    }
}
