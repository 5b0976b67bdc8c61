// Chooses each row's experts and their weights from the router's outputs. Ties go to the lower index.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "memory.glsl"
#include "mathematics.glsl"

layout(local_size_x = 64) in;
// Whether the softmax is over all experts instead of the chosen ones.
layout(constant_id = 0) const bool IS_OVER_ALL = false;
// Whether the chosen weights are divided by their sum.
layout(constant_id = 1) const bool IS_NORMALIZED = false;

layout(push_constant, scalar) uniform Parameters {
    Floats logits;
    Integers experts;
    Floats weights;
    uint rows, expertCount, used, stride;
    float scale;
} p;

void main() {
    uint row = gl_WorkGroupID.x * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
    if (row >= p.rows) return;
    uint from = row * p.stride, to = row * p.used;
    for (uint choice = 0; choice < p.used; choice++) {
        int best = -1;
        for (uint expert = 0; expert < p.expertCount; expert++) {
            bool taken = false;
            for (uint i = 0; i < choice; i++) taken = taken || p.experts.at[to + i] == int(expert);
            if (!taken && (best < 0 || p.logits.at[from + expert] > p.logits.at[from + best])) best = int(expert);
        }
        p.experts.at[to + choice] = max(best, 0);
    }
    // The first choice has the largest logit.
    float largest = p.logits.at[from + p.experts.at[to]];
    precise float total = 0.0;
    uint count = IS_OVER_ALL ? p.expertCount : p.used;
    for (uint i = 0; i < count; i++)
        total += exponential(p.logits.at[from + (IS_OVER_ALL ? i : uint(p.experts.at[to + i]))] - largest);
    precise float sum = 0.0;
    for (uint i = 0; i < p.used; i++) {
        precise float weight = exponential(p.logits.at[from + p.experts.at[to + i]] - largest) / total;
        p.weights.at[to + i] = weight;
        sum += weight;
    }
    for (uint i = 0; i < p.used; i++) {
        precise float weight = p.weights.at[to + i];
        if (IS_NORMALIZED) weight /= sum;
        weight *= p.scale;
        p.weights.at[to + i] = weight;
    }
}
