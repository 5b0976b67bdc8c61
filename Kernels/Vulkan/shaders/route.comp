// Chooses each row's experts and their weights from the router's outputs. Ties go to the lower index. A workgroup has a row.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "memory.glsl"
#include "mathematics.glsl"

const uint WIDTH = 32;
layout(local_size_x = 32) in;
// What the weights are: 0: a softmax over the chosen experts, 1: a softmax over all, 2: a sigmoid for each. With 3, expert j is
// choice j, with the weight 1.
layout(constant_id = 0) const uint GATING = 0;
// Whether the chosen weights are divided by their sum.
layout(constant_id = 1) const bool IS_NORMALIZED = false;
layout(constant_id = 2) const uint EXPERTS = 1;
// Groups of consecutive experts, of which only the best are used.
layout(constant_id = 3) const uint GROUPS = 1;
// Whether experts are chosen by weight and bias.
layout(constant_id = 4) const bool HAS_BIAS = false;
// Whether each expert's weight has a factor of its own.
layout(constant_id = 5) const bool HAS_SCALES = false;

layout(push_constant, scalar) uniform Parameters {
    Floats logits;
    Integers experts;
    Floats weights, bias, scales;
    uint used, stride, groupsUsed;
    float scale, smallestSum;
} p;

#define INFINITY uintBitsToFloat(0x7f800000u)

// What experts are chosen by.
shared float keys[EXPERTS];
shared float groupValues[GROUPS];
shared float lanes[WIDTH];
shared int places[WIDTH];

// The weight before it is divided by any sum.
float numerator(float logit, float largest) {
    precise float difference = logit - largest;
    return GATING == 2 ? swish(1.0, logit) : exponential(difference);
}

// Hides the experts of all groups but the best: those with the largest sum of their best two keys.
void hideGroups(uint lane) {
    const uint size = EXPERTS / GROUPS;
    for (uint group = lane; group < GROUPS; group += WIDTH) {
        float first = -INFINITY, second = -INFINITY;
        for (uint expert = group * size; expert < (group + 1) * size; expert++) {
            float key = keys[expert];
            second = key > first ? first : max(second, key);
            first = max(first, key);
        }
        precise float value = first;
        if (size > 1) value += second;
        groupValues[group] = value;
    }
    barrier();
    for (uint expert = lane; expert < GROUPS * size; expert += WIDTH) {
        uint group = expert / size, better = 0;
        for (uint other = 0; other < GROUPS; other++) {
            bool isBetter = groupValues[other] > groupValues[group]
                || (groupValues[other] == groupValues[group] && other < group);
            better += isBetter ? 1 : 0;
        }
        if (better >= p.groupsUsed) keys[expert] = -INFINITY;
    }
    barrier();
}

// The expert with the largest key that comes after expert `last` with the key `bound` in the order of choice; −1 if there is none.
int bestAfter(int last, inout float bound, uint lane) {
    float best = 0.0;
    int place = -1;
    for (int expert = int(lane); expert < int(EXPERTS); expert += int(WIDTH)) {
        float key = keys[expert];
        bool isLeft = key < bound || (key == bound && expert > last);
        if (isLeft && (place < 0 || key > best)) {
            best = key;
            place = expert;
        }
    }
    lanes[lane] = best;
    places[lane] = place;
    barrier();
    place = -1;
    for (uint i = 0; i < WIDTH; i++) {
        if (places[i] < 0) continue;
        if (place < 0 || lanes[i] > best || (lanes[i] == best && places[i] < place)) {
            best = lanes[i];
            place = places[i];
        }
    }
    barrier();
    bound = best;
    return place;
}

void main() {
    uint row = gl_WorkGroupID.x, lane = gl_LocalInvocationID.x, from = row * p.stride, to = row * p.used;
    if (GATING == 3) {
        for (uint i = lane; i < p.used; i += WIDTH) {
            p.experts.at[to + i] = int(i);
            p.weights.at[to + i] = 1.0;
        }
        return;
    }
    float largest = 0.0;
    precise float total = 1.0;
    if (GATING == 1) {
        largest = -INFINITY;
        for (uint expert = lane; expert < EXPERTS; expert += WIDTH) largest = max(largest, p.logits.at[from + expert]);
        lanes[lane] = largest;
        barrier();
        for (uint i = 0; i < WIDTH; i++) largest = max(largest, lanes[i]);
        barrier();
        precise float part = 0.0;
        for (uint expert = lane; expert < EXPERTS; expert += WIDTH)
            part += numerator(p.logits.at[from + expert], largest);
        lanes[lane] = part;
        barrier();
        total = 0.0;
        for (uint i = 0; i < WIDTH; i++) total += lanes[i];
        barrier();
    }
    for (uint expert = lane; expert < EXPERTS; expert += WIDTH) {
        float logit = p.logits.at[from + expert];
        // A softmax's numerators have the order of the logits, but rounding can make ties of them. Sums of them have another.
        precise float key = logit;
        if (GATING == 2 || (GATING == 1 && (HAS_BIAS || GROUPS > 1))) key = numerator(logit, largest) / total;
        if (HAS_BIAS) key += p.bias.at[expert];
        keys[expert] = key;
    }
    barrier();
    if (GROUPS > 1) hideGroups(lane);
    int expert = -1;
    float bound = INFINITY;
    for (uint choice = 0; choice < p.used; choice++) {
        expert = bestAfter(expert, bound, lane);
        if (lane == 0) p.experts.at[to + choice] = max(expert, 0);
    }
    if (lane != 0) return;
    if (GATING == 0) {
        largest = -INFINITY;
        for (uint i = 0; i < p.used; i++) largest = max(largest, p.logits.at[from + p.experts.at[to + i]]);
        total = 0.0;
        for (uint i = 0; i < p.used; i++) total += numerator(p.logits.at[from + p.experts.at[to + i]], largest);
    }
    precise float sum = 0.0;
    for (uint i = 0; i < p.used; i++) {
        precise float weight = numerator(p.logits.at[from + p.experts.at[to + i]], largest) / total;
        p.weights.at[to + i] = weight;
        sum += weight;
    }
    sum = sum < p.smallestSum ? p.smallestSum : sum;
    for (uint i = 0; i < p.used; i++) {
        precise float weight = p.weights.at[to + i];
        if (IS_NORMALIZED) weight /= sum;
        weight *= p.scale;
        if (HAS_SCALES) weight *= p.scales.at[p.experts.at[to + i]];
        p.weights.at[to + i] = weight;
    }
}
