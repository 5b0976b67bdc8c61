// The C kernels of the CPU backend: block layouts, one function type per operation, and the table an instruction set
// fills.
//
// Every kernel has a twin in Swift (Sources/Tensors/Reference) that gives the same bits. The order of float operations
// stated here is therefore part of the interface. fma(a, b, c) is a·b + c, rounded once; every other operation rounds
// separately. NaN inputs give NaN outputs. No input causes a trap or an access out of bounds.
#ifndef CKERNELS_H
#define CKERNELS_H

#include <stddef.h>
#include <stdint.h>

// MARK: Blocks of quantised weights, as a GGUF file stores them, with any alignment. Scales are f16 bits unless stated
// otherwise.

/// value[i] = scale · (nibble[i] − 8). Nibble i < 16 is the low half of byte i; nibble i + 16 is the high half.
struct __attribute__((packed)) si_block_q4_0 {
    uint16_t scale;
    uint8_t nibbles[16];
};
_Static_assert(sizeof(struct si_block_q4_0) == 18, "Q4_0 block");

/// value[i] = scale · nibble[i] + minimum
struct __attribute__((packed)) si_block_q4_1 {
    uint16_t scale, minimum;
    uint8_t nibbles[16];
};
_Static_assert(sizeof(struct si_block_q4_1) == 20, "Q4_1 block");

/// value[i] = scale · (nibble[i] + 16 · bit[i] − 16)
struct __attribute__((packed)) si_block_q5_0 {
    uint16_t scale;
    uint8_t bits[4];
    uint8_t nibbles[16];
};
_Static_assert(sizeof(struct si_block_q5_0) == 22, "Q5_0 block");

/// value[i] = scale · (nibble[i] + 16 · bit[i]) + minimum
struct __attribute__((packed)) si_block_q5_1 {
    uint16_t scale, minimum;
    uint8_t bits[4];
    uint8_t nibbles[16];
};
_Static_assert(sizeof(struct si_block_q5_1) == 24, "Q5_1 block");

/// value[i] = scale · values[i]
struct __attribute__((packed)) si_block_q8_0 {
    uint16_t scale;
    int8_t values[32];
};
_Static_assert(sizeof(struct si_block_q8_0) == 34, "Q8_0 block");

/// value[i] = scale · codebook[nibble[i]]
struct __attribute__((packed)) si_block_iq4_nl {
    uint16_t scale;
    uint8_t nibbles[16];
};
_Static_assert(sizeof(struct si_block_iq4_nl) == 18, "IQ4_NL block");

/// value[i] = 2^(exponent − 128) · codebook[nibble[i]]; the codebook is E2M1 doubled
struct __attribute__((packed)) si_block_mxfp4 {
    uint8_t exponent;
    uint8_t nibbles[16];
};
_Static_assert(sizeof(struct si_block_mxfp4) == 17, "MXFP4 block");

/// 16 groups of 16. The low half of scales[g] is the scale, the high half the minimum.
/// value = d · scale · pair − d_minimum · minimum
struct __attribute__((packed)) si_block_q2_K {
    uint8_t scales[16];
    uint8_t pairs[64];
    uint16_t d, d_minimum;
};
_Static_assert(sizeof(struct si_block_q2_K) == 84, "Q2_K block");

/// 16 groups of 16, 6-bit scales less 32. value = d · scale · (pair + 4 · bit − 4)
struct __attribute__((packed)) si_block_q3_K {
    uint8_t bits[32];
    uint8_t pairs[64];
    uint8_t scales[12];
    uint16_t d;
};
_Static_assert(sizeof(struct si_block_q3_K) == 110, "Q3_K block");

/// 8 groups of 32, 6-bit scales and minima. value = d · scale · nibble − d_minimum · minimum
struct __attribute__((packed)) si_block_q4_K {
    uint16_t d, d_minimum;
    uint8_t scales[12];
    uint8_t nibbles[128];
};
_Static_assert(sizeof(struct si_block_q4_K) == 144, "Q4_K block");

/// As Q4_K, with a fifth bit for each quantum.
struct __attribute__((packed)) si_block_q5_K {
    uint16_t d, d_minimum;
    uint8_t scales[12];
    uint8_t bits[32];
    uint8_t nibbles[128];
};
_Static_assert(sizeof(struct si_block_q5_K) == 176, "Q5_K block");

/// 16 groups of 16, 8-bit scales. value = d · scale · (nibble + 16 · pair − 32)
struct __attribute__((packed)) si_block_q6_K {
    uint8_t nibbles[128];
    uint8_t pairs[64];
    int8_t scales[16];
    uint16_t d;
};
_Static_assert(sizeof(struct si_block_q6_K) == 210, "Q6_K block");

/// 8 groups of 32, 6-bit scales less 32. value = d · scale · codebook[nibble]
struct __attribute__((packed)) si_block_iq4_xs {
    uint16_t d;
    uint16_t scales_high;
    uint8_t scales_low[4];
    uint8_t nibbles[128];
};
_Static_assert(sizeof(struct si_block_iq4_xs) == 136, "IQ4_XS block");

// MARK: Blocks of quantised activations

/// value[i] = scale · values[i]; sum = Σ values; scaled_sum = scale · sum, computed before the scale is rounded. Both
/// floats are rounded to f16, as in llama.cpp's blocks; the last digits of logits depend on this.
struct si_input_32 { float scale; float scaled_sum; int32_t sum; int8_t values[32]; };
_Static_assert(sizeof(struct si_input_32) == 44, "activation block of 32");

/// value[i] = scale · values[i]; sums[g] = Σ values[16g..<16g + 16], sums_32[g] = Σ values[32g..<32g + 32]
struct si_input_256 { float scale; int16_t sums[16], sums_32[8]; int8_t values[256]; };
_Static_assert(sizeof(struct si_input_256) == 308, "activation block of 256");

// MARK: Keys in the cache

/// 32 dimensions of sixteen keys: the Q8_0 scale of each key; then, for each group of four dimensions, four values of
/// each key.
struct si_key_block_q8_0 { uint16_t scales[16]; int8_t values[8][16][4]; };
_Static_assert(sizeof(struct si_key_block_q8_0) == 16 * sizeof(struct si_block_q8_0), "block of sixteen keys");

// MARK: Operations

/// Operands of a product. Weights: `rows` rows of `k` elements, packed in panels of `panel_rows` rows that are
/// `weight_stride` bytes apart. Inputs: rows `input_stride` bytes apart; f32 for float weights, si_input_32 or
/// si_input_256 blocks for quantised ones. Outputs: rows `output_stride` floats apart. Column c reads input row
/// input_rows[c] and writes output row output_rows[c]; if a list is NULL, row c.
struct si_product {
    size_t k, rows, columns;
    const void *weights;
    size_t weight_stride;
    const void *inputs;
    size_t input_stride;
    const int32_t *input_rows;
    float *outputs;
    size_t output_stride;
    const int32_t *output_rows;
};

/// outputs[c][r] = Σ_k weights[r][k] · inputs[c][k], for r in 0..<rows, c in 0..<columns.
///
/// Float weights: 16 partial sums, sum[k mod 16] = fma(w, x, sum[k mod 16]) for ascending k, k padded with zeros to a
/// multiple of 16; then the sixteen are added in pairs at distance 8, 4, 2, 1.
/// Blocks of 32: I = Σ q·x exactly, q the signed quantum; sum = fma(scale_w · scale_x, float(I), sum), then for types
/// with minimum sum = fma(minimum, scaled_sum_x, sum); blocks in order.
/// Blocks of 256: I = Σ_g scale_g · Σ q·x exactly; sum = fma(d · scale_x, float(I), sum), then for types with minima
/// M = Σ_g minimum_g · Σ_g x exactly and sum = fma(−(d_minimum · scale_x), float(M), sum); blocks in order.
typedef void si_multiply(const struct si_product *product);

/// Packs `rows` rows of weights, at most `panel_rows`, that are `weight_stride` bytes apart, into a panel. Missing rows
/// are zero.
typedef void si_pack(size_t k, size_t rows, const void *weights, size_t weight_stride, void *panel);

/// How an instruction set multiplies by weights of one type.
struct si_weights {
    /// Rows of a panel; elements of a block (the last block of a row may be incomplete); bytes of a panel per block.
    uint32_t panel_rows, block_size, panel_block_bytes;
    si_pack *pack;
    si_multiply *multiply;
};

/// Quantises x[0..<count] into blocks; the last one is padded with zeros. With m = max |x| of a block: scale = m / 127,
/// values = x · (127 / m), rounded to nearest even. If m < 2⁻¹⁰⁰, all are zero. If a block contains NaN or infinity,
/// its scale is NaN and its values are zero. In blocks of 32, scale and scale · float(Σ values) are then rounded to
/// f16, unless they are outside the range of normal f16 numbers.
typedef void si_quantize(size_t count, const float *x, void *blocks);

/// Operands of the scores of attention. Keys: `panels` contiguous panels of sixteen keys, see si_store_key. Queries:
/// `count` rows `query_stride` bytes apart; si_input_32 blocks if keys are q8_0, else f32. Scores: rows
/// `score_stride` floats apart.
struct si_scoring {
    size_t dimension, panels;
    const void *keys;
    size_t count;
    const void *queries;
    size_t query_stride;
    float *scores;
    size_t score_stride;
};

/// scores[q][16p + i] = Σ_d queries[q][d] · keys[p][d][i], for q in 0..<count, p in 0..<panels, i in 0..<16.
///
/// f32, f16: sum = fma(x, key, sum) for ascending d, from zero. q8_0: as in a product with Q8_0 weights.
typedef void si_score(const struct si_scoring *scoring);

/// Operands of the weighted sum of values. Values: rows `value_stride` bytes apart; value j is row rows[j], or row j if
/// the list is NULL. Weights and outputs: rows `weight_stride` and `output_stride` floats apart.
struct si_accumulation {
    size_t dimension, count;
    const void *values;
    size_t value_stride;
    const int32_t *rows;
    size_t queries;
    const float *weights;
    size_t weight_stride;
    float *outputs;
    size_t output_stride;
};

/// outputs[q][d] += Σ_j weights[q][j] · values[j][d], for q in 0..<queries, d in 0..<dimension, j in 0..<count:
/// y = fma(w, v, y) for ascending j. q8_0: v = float(scale) · float(value).
typedef void si_accumulate(const struct si_accumulation *accumulation);

/// Replaces scores by softmax numerators and returns their sum. t_j = s_j · scale; if cap > 0,
/// t_j = cap · tanh(t_j / cap); m = max(t, sink); s_j = exp(t_j − m). The sum has 16 partial sums by j mod 16, added in
/// pairs at distance 8, 4, 2, 1; then + exp(sink − m) if sink is not −∞.
typedef float si_softmax(size_t count, float *s, float scale, float cap, float sink);

/// y = (x · r) · weight, r = 1 / √(Σx² / count + epsilon); Σ in 16 partial sums of fma(x, x, sum) by index mod 16,
/// added in pairs at distance 8, 4, 2, 1. y may be x.
typedef void si_rms_norm(size_t count, const float *x, const float *weight, float epsilon, float *y);

/// y = fma((x − mean) · r, weight, bias), or the product only if bias is NULL; r = 1 / √(Σ(x − mean)² / count +
/// epsilon); mean = Σx / count. Both sums as in si_rms_norm. y may be x.
typedef void si_layer_norm(
    size_t count, const float *x, const float *weight, const float *bias, float epsilon, float *y);

/// Rotates `pairs` pairs of x in place by (cos, sin) pairs of `rotation`: a' = fma(a, cos, −(b · sin)),
/// b' = fma(a, sin, b · cos). Two layouts: (2i, 2i + 1), and (i, i + pairs).
typedef void si_rotate(size_t pairs, float *x, const float *rotation);

/// y = f(gate, up). silu: (g / (1 + exp(−g))) · u. gelu: (g / (1 + exp(−2t))) · u, t = √(2/π) · fma(0.044715 · g², g,
/// g), which is the tanh form. clamped: g' = min(g, 7), u' = clamp(u, ±7): (g' / (1 + exp(−1.702 · g'))) · (u' + 1).
/// identity: g · u. sigmoid: (1 / (1 + exp(−g))) · u. softplus: fma(2s, P(s²), max(g, 0)) · u with t = exp(−|g|), s = t / (2 + t) and P(z) =
/// Σ z^i / (2i + 1), i ≤ 7. squared_relu: (r · r) · u, r = max(g, 0).
/// If up is NULL, f(gate) without the factor. y may be gate or up.
typedef void si_gate(size_t count, const float *gate, const float *up, float *y);

/// x = cap · tanh(x / cap)
typedef void si_soft_cap(size_t count, float *x, float cap);

/// y = fma(scale, x, y)
typedef void si_add_scaled(size_t count, const float *x, float scale, float *y);

/// x = scale · x
typedef void si_scale(size_t count, float *x, float scale);

/// maxima[i] = the largest of x[64 i], … x[64 i + 63]; the last block may be shorter: ceil(count / 64) maxima. NaN is
/// ignored; the maximum of nothing but NaN is −∞. Of 0 and −0, the result may be either.
typedef void si_maxima(size_t count, const float *x, float *maxima);

/// Stores x as f16, rounded to nearest even; or as Q8_0 blocks (count is a multiple of 32), quantised as by
/// si_quantize, with the scale rounded to f16.
typedef void si_store(size_t count, const float *x, void *y);

/// Stores x as lane `lane` (0..<16) of a panel of sixteen keys, rounded as by si_store. f32, f16: [count][16]; q8_0:
/// one si_key_block_q8_0 for each 32 values.
typedef void si_store_key(size_t count, const float *x, void *panel, size_t lane);

/// y[c] = s[c], or (s / (1 + exp(−s))) if `activates`; s[c] = Σ_j weights[j · count + c] · inputs[j][c] as one chain of fma, j
/// ascending from 0, then + bias[c] unless bias is NULL.
typedef void si_convolve(
    size_t count, size_t taps, const float *const *inputs, const float *weights, const float *bias, _Bool activates,
    float *y);

/// One row of a scan for some value columns of a head's state M: M ← decay ⊙ M + key · dᵀ, output = scale · Mᵀ query.
///
/// For each column c: d = value[c], or by the delta rule d = beta · (value[c] − Σ_i (M[i][c] · decay_i) · key[i]); M[i][c] ←
/// fma(key[i], d, M[i][c] · decay_i); output[c] = (Σ_i M[i][c] · query[i]) · scale. Both sums are one chain of fma, i ascending
/// from 0.
struct si_scan {
    /// Length of a key; number of columns, at most 32.
    size_t keys, columns;
    /// One panel [keys][16], or two in succession for more than 16 columns. Lanes beyond `columns` may get any value.
    float *state;
    const float *key;
    /// decay_i = decay[i · decay_stride].
    const float *decay;
    size_t decay_stride;
    const float *value;
    _Bool uses_delta;
    float beta;
    /// NULL if nothing is read from the state.
    const float *query;
    float scale;
    float *output;
};
typedef void si_scan_row(const struct si_scan *scan);

/// exp(x) and tanh(x), elementwise, as the kernels above compute them.
typedef void si_map(size_t count, const float *x, float *y);

/// Multiplies and adds in registers only, `rounds` times, as fast as the instruction set allows; returns the number of
/// products. Bytes: with the one or two instructions that products with quantised weights use. Floats: with fma.
typedef uint64_t si_peak(size_t rounds);

/// Reads bytes in whole vectors, except for an incomplete last group, and discards them.
typedef void si_read(size_t count, const void *bytes);

// MARK: Dispatch

/// One more than the largest GGUF type identifier with a product kernel, which is 39 (MXFP4).
enum { SI_TYPE_LIMIT = 40 };

/// The kernels for one instruction set.
struct si_kernels {
    const char *name;
    /// Products with weights, by GGUF type identifier; all zero for a type without a kernel.
    struct si_weights weights[SI_TYPE_LIMIT];
    si_quantize *quantize_32, *quantize_256;
    si_score *score_f32, *score_f16, *score_q8_0;
    si_accumulate *accumulate_f32, *accumulate_f16, *accumulate_q8_0;
    si_softmax *softmax;
    si_rms_norm *rms_norm;
    si_layer_norm *layer_norm;
    si_rotate *rotate_adjacent, *rotate_halves;
    si_gate *gate_silu, *gate_gelu, *gate_clamped, *gate_identity, *gate_sigmoid, *gate_softplus, *gate_squared_relu;
    si_soft_cap *soft_cap;
    si_add_scaled *add_scaled;
    si_scale *scale;
    si_maxima *maxima;
    si_store *store_f16, *store_q8_0;
    si_store_key *store_key_f32, *store_key_f16, *store_key_q8_0;
    si_convolve *convolve;
    si_scan_row *scan;
    si_map *exp, *tanh;
    si_peak *peak_of_bytes, *peak_of_floats;
    si_read *read;
};

/// The most tables that a processor can run.
enum { SI_TABLES = 3 };

/// Of the tables that this processor can run, number `index` < SI_TABLES, the fastest first; NULL if there are not that many.
const struct si_kernels *si_kernels_for_this_processor(size_t index);

/// The product kernel for weights of a GGUF type, or NULL.
static inline const struct si_weights *si_weights_for(const struct si_kernels *kernels, uint32_t type) {
    return type < SI_TYPE_LIMIT && kernels->weights[type].multiply ? &kernels->weights[type] : NULL;
}

/// Hints to the processor that this is a spin loop.
static inline void si_relax(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

#endif
