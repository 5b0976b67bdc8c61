// Advances the state M of each head by rows, each from its parent's state, and reads from it: M ← decay ⊙ M + k dᵀ, then
// y = scale · Mᵀ q, with d = v, or by the delta rule d = β (v − Mᵀ k) with the M that has decayed. Sums over keys are one chain,
// ascending. A state is keys × values, with rows padded to multiples of 16.
//
// A thread has a column of a head's state. It walks through the certain rows, which are a chain, then through the others: a chain too,
// or in the order of a plan with three integers for each row: its number, where its parent's state is, where its own goes.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "memory.glsl"

layout(local_size_x = 32) in;
layout(constant_id = 0) const uint KEYS = 1;
layout(constant_id = 1) const uint VALUES = 1;
// Columns of a workgroup, at most 32. It changes no sum.
layout(constant_id = 2) const uint COLUMNS = 32;
// Whether each key channel has a decay of its own, instead of each head.
layout(constant_id = 3) const bool HAS_KEY_DECAYS = false;
// Whether the delta rule applies.
layout(constant_id = 4) const bool HAS_BETA = false;
// Whether head h reads key head h mod `keyDivisor`, instead of h / `keyDivisor`.
layout(constant_id = 5) const bool IS_TILED = false;
layout(constant_id = 6) const bool HAS_PLAN = false;
layout(constant_id = 7) const bool HAS_OUTPUT = true;
const uint PADDED = (VALUES + 15) / 16 * 16;

// Where a state is, or goes, in a plan; other numbers are those of slots. In the thread's memory: also that of the row before.
const int ROOT = -1, HERE = -2, NOWHERE = -1, RESULT = -2;

layout(push_constant, scalar) uniform Parameters {
    Floats queries, keys, values, decays, betas, outputs;
    // The state before the step and the one after its certain rows; states that several rows follow.
    Floats current, next, slots;
    Integers plan;
    uint queryStride, keyStride, valueStride, decayStride, betaStride, outputStride;
    // `count` is the number of rows, or of those in the plan.
    uint certain, count, keyDivisor;
    float scale;
    // Floats between two layers' states, and between their inputs.
    uint layerStride, inputLayerStride;
} p;

shared float state[KEYS * COLUMNS];

void load(Floats source, uint first, uint local) {
    for (uint i = 0; i < KEYS; i++) state[i * COLUMNS + local] = source.at[first + i * PADDED];
}

void store(Floats target, uint first, uint local) {
    for (uint i = 0; i < KEYS; i++) target.at[first + i * PADDED] = state[i * COLUMNS + local];
}

void takeIn(uint row, uint head, uint column, uint local) {
    uint keyHead = IS_TILED ? head % p.keyDivisor : head / p.keyDivisor, inputs = gl_WorkGroupID.z * p.inputLayerStride;
    uint key = inputs + row * p.keyStride + keyHead * KEYS, query = row * p.queryStride + keyHead * KEYS;
    uint decay = inputs + row * p.decayStride + head * (HAS_KEY_DECAYS ? KEYS : 1);
    float ofHead = p.decays.at[decay];
    precise float d = p.values.at[inputs + row * p.valueStride + head * VALUES + column];
    if (HAS_BETA) {
        precise float known = 0.0;
        for (uint i = 0; i < KEYS; i++) {
            precise float m = state[i * COLUMNS + local] * (HAS_KEY_DECAYS ? p.decays.at[decay + i] : ofHead);
            known = fma(m, p.keys.at[key + i], known);
        }
        d = p.betas.at[inputs + row * p.betaStride + head] * (d - known);
    }
    precise float sum = 0.0;
    for (uint i = 0; i < KEYS; i++) {
        precise float m = state[i * COLUMNS + local] * (HAS_KEY_DECAYS ? p.decays.at[decay + i] : ofHead);
        m = fma(p.keys.at[key + i], d, m);
        state[i * COLUMNS + local] = m;
        if (HAS_OUTPUT) sum = fma(m, p.queries.at[query + i], sum);
    }
    if (!HAS_OUTPUT) return;
    precise float y = sum * p.scale;
    p.outputs.at[row * p.outputStride + head * VALUES + column] = y;
}

void main() {
    uint local = gl_LocalInvocationID.x, head = gl_WorkGroupID.y, column = gl_WorkGroupID.x * COLUMNS + local;
    if (local >= COLUMNS || column >= VALUES) return;
    uint first = gl_WorkGroupID.z * p.layerStride + head * KEYS * PADDED + column;
    if (p.certain > 0 || !HAS_PLAN) load(p.current, first, local);
    for (uint row = 0; row < p.certain; row++) takeIn(row, head, column, local);
    if (p.certain > 0) store(p.next, first, local);
    if (!HAS_PLAN) {
        for (uint row = p.certain; row < p.count; row++) takeIn(row, head, column, local);
        return;
    }
    for (uint i = 0; i < p.count; i++) {
        int from = p.plan.at[3 * i + 1], to = p.plan.at[3 * i + 2];
        if (from == ROOT) {
            if (p.certain > 0) load(p.next, first, local);
            else load(p.current, first, local);
        } else if (from != HERE) {
            load(p.slots, (uint(from) * gl_NumWorkGroups.y + head) * KEYS * PADDED + column, local);
        }
        takeIn(uint(p.plan.at[3 * i]), head, column, local);
        if (to == RESULT) {
            store(p.next, first, local);
        } else if (to != NOWHERE) {
            store(p.slots, (uint(to) * gl_NumWorkGroups.y + head) * KEYS * PADDED + column, local);
        }
    }
}
