// Cases of the kernels that work on one row: norms, softmax, rotation, activations, maxima, convolutions, scans.

#include "support.h"

/// Lengths of rows: every tail, and more.
static size_t si_next_count(size_t count) { return count < 50 ? count + 1 : count < 1000 ? count * 3 + 1 : 0; }

/// The operands of a row kernel: inputs of `count` values, and an output. All end where no access is allowed.
struct si_rows_of { size_t count; const float *a, *b, *c; float *y; };

/// Calls a kernel; a number that it returns goes to the last argument.
typedef void si_call(const struct si_kernels *kernels, const struct si_rows_of *rows, float *result);

/// Runs a kernel on rows of all lengths. Its output is a copy of the first input before the call.
static void si_run_row_case(struct si_run *run, const char *name, si_call *call, size_t outputs_per_64) {
    for (int is_extreme = 0; is_extreme < 2; is_extreme++) {
        si_begin(run, 77);
        uint64_t hash = run->hash;
        for (size_t count = 1; count; count = si_next_count(count)) {
            const size_t outputs = outputs_per_64 ? (count + 63) / 64 * outputs_per_64 : count;
            run->hash = hash;
            float *inputs[3];
            for (int i = 0; i < 3; i++) {
                inputs[i] = si_take(run, 4 * count);
                if (is_extreme) {
                    si_fill_extreme(run, inputs[i], count);
                } else {
                    si_fill(run, inputs[i], count, i == 0 ? 30.0f : 2.0f);
                }
            }
            float *y = si_take(run, 4 * outputs), result = 0;
            memcpy(y, inputs[0], 4 * outputs);
            call(run->kernels, &(struct si_rows_of){count, inputs[0], inputs[1], inputs[2], y}, &result);
            si_hash_floats(run, y, outputs);
            si_hash_floats(run, &result, 1);
            hash = run->hash;
        }
        si_end(run, "%s%s", name, is_extreme ? " extreme" : "");
    }
}

#define SI_CALL(name, ...)                                                                                             \
    static void name(const struct si_kernels *k, const struct si_rows_of *r, float *result) {                          \
        (void)result;                                                                                                  \
        __VA_ARGS__;                                                                                                   \
    }

SI_CALL(si_call_exp, k->exp(r->count, r->a, r->y))
SI_CALL(si_call_tanh, k->tanh(r->count, r->b, r->y))
SI_CALL(si_call_softmax, *result = k->softmax(r->count, r->y, 0.3f, 0, -__builtin_inff()))
SI_CALL(si_call_softmax_capped, *result = k->softmax(r->count, r->y, 0.3f, 5, 0.5f))
SI_CALL(si_call_rms_norm, k->rms_norm(r->count, r->a, r->b, 1e-5f, r->y))
SI_CALL(si_call_layer_norm, k->layer_norm(r->count, r->a, r->b, r->c, 1e-5f, r->y))
SI_CALL(si_call_layer_norm_plain, k->layer_norm(r->count, r->a, r->b, NULL, 1e-5f, r->y))
SI_CALL(si_call_rotate_adjacent, k->rotate_adjacent(r->count / 2, r->y, r->b))
SI_CALL(si_call_rotate_halves, k->rotate_halves(r->count / 2, r->y, r->b))
SI_CALL(si_call_silu, k->gate_silu(r->count, r->a, r->b, r->y))
SI_CALL(si_call_silu_plain, k->gate_silu(r->count, r->a, NULL, r->y))
SI_CALL(si_call_gelu, k->gate_gelu(r->count, r->b, r->c, r->y))
SI_CALL(si_call_gelu_plain, k->gate_gelu(r->count, r->b, NULL, r->y))
SI_CALL(si_call_clamped, k->gate_clamped(r->count, r->a, r->c, r->y))
SI_CALL(si_call_clamped_plain, k->gate_clamped(r->count, r->a, NULL, r->y))
SI_CALL(si_call_identity, k->gate_identity(r->count, r->a, r->b, r->y))
SI_CALL(si_call_identity_plain, k->gate_identity(r->count, r->a, NULL, r->y))
SI_CALL(si_call_sigmoid, k->gate_sigmoid(r->count, r->b, r->c, r->y))
SI_CALL(si_call_sigmoid_plain, k->gate_sigmoid(r->count, r->b, NULL, r->y))
SI_CALL(si_call_softplus, k->gate_softplus(r->count, r->b, r->c, r->y))
SI_CALL(si_call_softplus_plain, k->gate_softplus(r->count, r->b, NULL, r->y))
SI_CALL(si_call_squared_relu, k->gate_squared_relu(r->count, r->b, r->c, r->y))
SI_CALL(si_call_squared_relu_plain, k->gate_squared_relu(r->count, r->b, NULL, r->y))
SI_CALL(si_call_soft_cap, k->soft_cap(r->count, r->y, 5))
SI_CALL(si_call_add_scaled, k->add_scaled(r->count, r->b, 0.7f, r->y))
SI_CALL(si_call_scale, k->scale(r->count, r->y, 0.7f))
// The maximum of nothing but NaN is −∞, and 0 and −0 are equal.
SI_CALL(si_call_maxima, k->maxima(r->count, r->a, r->y); r->y[0] += 0.0f)
SI_CALL(si_call_read, k->read(4 * r->count, r->a))

static const struct si_row_case { const char *name; si_call *call; size_t outputs_per_64; } si_row_cases[] = {
    {"exp", si_call_exp, 0},
    {"tanh", si_call_tanh, 0},
    {"softmax", si_call_softmax, 0},
    {"softmax with cap and sink", si_call_softmax_capped, 0},
    {"rms norm", si_call_rms_norm, 0},
    {"layer norm", si_call_layer_norm, 0},
    {"layer norm without bias", si_call_layer_norm_plain, 0},
    {"rotate adjacent", si_call_rotate_adjacent, 0},
    {"rotate halves", si_call_rotate_halves, 0},
    {"silu times up", si_call_silu, 0},
    {"silu", si_call_silu_plain, 0},
    {"gelu times up", si_call_gelu, 0},
    {"gelu", si_call_gelu_plain, 0},
    {"clamped times up", si_call_clamped, 0},
    {"clamped", si_call_clamped_plain, 0},
    {"identity times up", si_call_identity, 0},
    {"identity", si_call_identity_plain, 0},
    {"sigmoid times up", si_call_sigmoid, 0},
    {"sigmoid", si_call_sigmoid_plain, 0},
    {"softplus times up", si_call_softplus, 0},
    {"softplus", si_call_softplus_plain, 0},
    {"squared relu times up", si_call_squared_relu, 0},
    {"squared relu", si_call_squared_relu_plain, 0},
    {"soft cap", si_call_soft_cap, 0},
    {"add scaled", si_call_add_scaled, 0},
    {"scale", si_call_scale, 0},
    {"maxima", si_call_maxima, 1},
    {"read", si_call_read, 0},
};

/// f16 rows, and q8_0 rows of whole blocks.
static void si_run_store_cases(struct si_run *run) {
    for (int bits = 16; bits >= 8; bits -= 8) {
        for (size_t count = bits == 16 ? 1 : 32; count < 200; count += bits == 16 ? 13 : 32) {
            si_begin(run, count);
            float *x = si_take(run, 4 * count);
            const size_t size = bits == 16 ? 2 * count : count / 32 * sizeof(struct si_block_q8_0);
            uint8_t *y = si_take(run, size);
            for (int variant = 0; variant < 3; variant++) {
                static const float ranges[] = {3, 70000, 1e-6f};
                si_fill(run, x, count, ranges[variant]);
                (bits == 16 ? run->kernels->store_f16 : run->kernels->store_q8_0)(count, x, y);
                si_hash_bytes(run, y, size);
            }
            si_end(run, "store %s, %zu values", bits == 16 ? "f16" : "q8_0", count);
        }
    }
}

static void si_run_convolve_cases(struct si_run *run) {
    enum { TAPS = 4 };
    for (int variant = 0; variant < 4; variant++) {
        si_begin(run, 5);
        for (size_t count = 1; count < 60; count += 7) {
            float *x = si_take(run, 4 * TAPS * count), *weights = si_take(run, 4 * TAPS * count);
            float *bias = si_take(run, 4 * count), *y = si_take(run, 4 * count);
            si_fill(run, x, TAPS * count, 2);
            si_fill(run, weights, TAPS * count, 1);
            si_fill(run, bias, count, 1);
            const float *inputs[TAPS];
            for (size_t j = 0; j < TAPS; j++) { inputs[j] = x + (TAPS - 1 - j) * count; }
            run->kernels->convolve(count, TAPS, inputs, weights, variant % 2 ? bias : NULL, variant / 2, y);
            si_hash_floats(run, y, count);
        }
        si_end(run, "convolve%s%s", variant % 2 ? ", bias" : "", variant / 2 ? ", silu" : "");
    }
}

static void si_run_scan_cases(struct si_run *run) {
    enum { KEYS = 24 };
    for (int variant = 0; variant < 8; variant++) {
        const bool uses_delta = variant % 2, decays_per_key = variant / 2 % 2, reads = variant / 4;
        si_begin(run, 6);
        for (size_t columns = 1; columns <= 32; columns += columns % 2 ? 4 : 5) {
            const size_t panels = (columns + 15) / 16;
            float *state = si_take(run, 4 * panels * KEYS * 16);
            float *key = si_take(run, 4 * KEYS), *query = si_take(run, 4 * KEYS), *decay = si_take(run, 4 * KEYS);
            float *value = si_take(run, 4 * columns), *output = si_take(run, 4 * columns);
            si_fill(run, state, panels * KEYS * 16, 1);
            si_fill(run, key, KEYS, 1);
            si_fill(run, query, KEYS, 1);
            si_fill(run, decay, KEYS, 1);
            si_fill(run, value, columns, 1);
            const struct si_scan scan = {
                .keys = KEYS, .columns = columns, .state = state, .key = key, .decay = decay,
                .decay_stride = decays_per_key, .value = value, .uses_delta = uses_delta, .beta = 0.7f,
                .query = reads ? query : NULL, .scale = 0.3f, .output = reads ? output : NULL,
            };
            for (int step = 0; step < 3; step++) {
                run->kernels->scan(&scan);
                if (reads) { si_hash_floats(run, output, columns); }
            }
            for (size_t i = 0; i < panels * KEYS * 16; i++) {
                const size_t column = i / (KEYS * 16) * 16 + i % 16;
                if (column < columns) { si_hash_floats(run, state + i, 1); }
            }
        }
        si_end(
            run, "scan%s%s%s", uses_delta ? ", delta rule" : "", decays_per_key ? ", decay per key" : "",
            reads ? ", read" : "");
    }
}

void si_run_row_cases(struct si_run *run) {
    for (size_t i = 0; i < sizeof si_row_cases / sizeof *si_row_cases; i++) {
        si_run_row_case(run, si_row_cases[i].name, si_row_cases[i].call, si_row_cases[i].outputs_per_64);
    }
    si_run_store_cases(run);
    si_run_convolve_cases(run);
    si_run_scan_cases(run);
}
