// RMS norm and layer norm of consecutive values: of a row, or of each head of it. Of whole rows it can also round the results to
// eight bits for products, as quantize.comp does.
//
// Lane l sums the elements l, l + 128, …; the lanes are added in pairs at distance 64, 32, …, 1.
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

// What the threads of a workgroup write for each other.
layout(buffer_reference, scalar, buffer_reference_align = 4) coherent buffer Results { float at[]; };

layout(push_constant, scalar) uniform Parameters {
    Floats x;
    Results y;
    Floats weight, bias;
    Words4 groups;
    uint width, inputStride, outputStride;
    float epsilon;
} p;

void main() {
    uint section = gl_WorkGroupID.x * p.width, local = gl_LocalInvocationID.x;
    uint from = gl_WorkGroupID.y * p.inputStride + section, to = gl_WorkGroupID.y * p.outputStride + section;
    precise float mean = 0.0;
    if (IS_CENTRED) {
        for (uint i = local; i < p.width; i += WIDTH) mean += p.x.at[from + i];
        mean = sumOfRow(mean) / float(p.width);
    }
    precise float squares = 0.0;
    for (uint i = local; i < p.width; i += WIDTH) {
        precise float value = p.x.at[from + i] - mean;
        squares = fma(value, value, squares);
    }
    precise float r = 1.0 / sqrt(sumOfRow(squares) / float(p.width) + p.epsilon);
    for (uint i = local; i < p.width; i += WIDTH) {
        precise float value = (p.x.at[from + i] - mean) * r;
        value = HAS_BIAS ? fma(value, p.weight.at[i], p.bias.at[i]) : value * p.weight.at[i];
        p.y.at[to + i] = value;
    }
    if (!QUANTIZES) return;
    memoryBarrierBuffer();
    barrier();
    uint count = p.width / 32;
    for (uint first = 0; first < count; first += WIDTH) {
        uint index = first + local;
        vec4 values[8];
        for (uint i = 0; i < 8; i++) {
            values[i] = vec4(0.0);
            if (index < count) {
                for (uint j = 0; j < 4; j++) values[i][j] = p.y.at[to + 32 * index + 4 * i + j];
            }
        }
        quantizeGroup(values, index < count, p.groups, gl_WorkGroupID.y * count + index);
    }
}
