// Cases of products with weights of every type, and of the quantisation of their inputs.

#include "support.h"

#include <stdlib.h>

/// A type of weights: its GGUF identifier, elements and bytes of a block, and where a block has f16 factors (−1: none).
static const struct si_type { const char *name; uint32_t type; size_t block, bytes; int factors[2]; } si_types[] = {
    {"f32", 0, 1, 4, {-1, -1}},
    {"f16", 1, 1, 2, {0, -1}},
    {"q4_0", 2, 32, sizeof(struct si_block_q4_0), {offsetof(struct si_block_q4_0, scale), -1}},
    {"q4_1", 3, 32, sizeof(struct si_block_q4_1),
     {offsetof(struct si_block_q4_1, scale), offsetof(struct si_block_q4_1, minimum)}},
    {"q5_0", 6, 32, sizeof(struct si_block_q5_0), {offsetof(struct si_block_q5_0, scale), -1}},
    {"q5_1", 7, 32, sizeof(struct si_block_q5_1),
     {offsetof(struct si_block_q5_1, scale), offsetof(struct si_block_q5_1, minimum)}},
    {"q8_0", 8, 32, sizeof(struct si_block_q8_0), {offsetof(struct si_block_q8_0, scale), -1}},
    {"q2_K", 10, 256, sizeof(struct si_block_q2_K),
     {offsetof(struct si_block_q2_K, d), offsetof(struct si_block_q2_K, d_minimum)}},
    {"q3_K", 11, 256, sizeof(struct si_block_q3_K), {offsetof(struct si_block_q3_K, d), -1}},
    {"q4_K", 12, 256, sizeof(struct si_block_q4_K),
     {offsetof(struct si_block_q4_K, d), offsetof(struct si_block_q4_K, d_minimum)}},
    {"q5_K", 13, 256, sizeof(struct si_block_q5_K),
     {offsetof(struct si_block_q5_K, d), offsetof(struct si_block_q5_K, d_minimum)}},
    {"q6_K", 14, 256, sizeof(struct si_block_q6_K), {offsetof(struct si_block_q6_K, d), -1}},
    {"iq4_nl", 20, 32, sizeof(struct si_block_iq4_nl), {offsetof(struct si_block_iq4_nl, scale), -1}},
    {"iq4_xs", 23, 256, sizeof(struct si_block_iq4_xs), {offsetof(struct si_block_iq4_xs, d), -1}},
    {"bf16", 30, 1, 2, {-1, -1}},
    {"mxfp4", 39, 32, sizeof(struct si_block_mxfp4), {-1, -1}},
};

enum { SI_COLUMNS = 64 };

/// Random weights: `rows` rows of `k` elements. Some are extreme if `is_extreme`: factors NaN, infinite, subnormal or zero,
/// quanta all zeros or all ones.
static uint8_t *si_weights_of(struct si_run *run, const struct si_type *type, size_t rows, size_t k, bool is_extreme) {
    const size_t blocks = rows * k / type->block, size = blocks * type->bytes;
    uint8_t *weights = si_take(run, size);
    for (size_t i = 0; i < size; i++) { weights[i] = (uint8_t)si_random(run); }
    for (size_t b = 0; b < blocks; b++) {
        uint8_t *block = weights + b * type->bytes;
        const uint32_t choice = is_extreme ? si_random(run) % 32 : 32;
        if (choice < 8) {
            memset(block, choice % 2 ? 0xff : 0, type->bytes);
        }
        for (int f = 0; f < 2 && type->factors[f] >= 0; f++) {
            static const uint16_t extremes[] = {0, 0x8000, 1, 0x83ff, 0x7bff, 0x7c00, 0xfc00, 0x7e00};
            // ± 2⁻⁷ to 2⁻⁴
            uint16_t half = (uint16_t)((si_random(run) & 0x83ff) | (8 + si_random(run) % 3) << 10);
            if (choice < 16) { half = extremes[choice % 8]; }
            memcpy(block + type->factors[f], &half, 2);
        }
        if (type->type == 39 && choice >= 16) { block[0] = (uint8_t)(120 + si_random(run) % 11); }
        if (type->type == 0) {
            float value = si_random_float(run, 1);
            if (choice < 2) { si_fill_extreme(run, &value, 1); }
            memcpy(block, &value, 4);
        }
        if (type->type == 30 && choice >= 2) {
            const float value = si_random_float(run, 1);
            memcpy(block, (const uint8_t *)&value + 2, 2);
        }
    }
    return weights;
}

/// One shape of a product.
struct si_shape { size_t k, rows; bool is_extreme; };

static void si_run_product_case(struct si_run *run, const struct si_type *type, struct si_shape shape) {
    const struct si_weights *kernel = si_weights_for(run->kernels, type->type);
    si_begin(run, type->type * 1000 + shape.k);
    const size_t k = shape.k, rows = shape.rows, stride = k / type->block * type->bytes;
    const uint8_t *weights = si_weights_of(run, type, rows, k, shape.is_extreme);

    const size_t panels = (rows + kernel->panel_rows - 1) / kernel->panel_rows;
    const size_t bytes = ((k + kernel->block_size - 1) / kernel->block_size * kernel->panel_block_bytes + 63) & ~(size_t)63;
    uint8_t *packed = si_take(run, panels * bytes);
    for (size_t p = 0; p < panels; p++) {
        const size_t first = p * kernel->panel_rows, left = rows - first;
        kernel->pack(
            k, left < kernel->panel_rows ? left : kernel->panel_rows, weights + first * stride, stride, packed + p * bytes);
    }

    const size_t input_stride = type->block == 1 ? 4 * k
        : type->block == 32                      ? k / 32 * sizeof(struct si_input_32)
                                                 : k / 256 * sizeof(struct si_input_256);
    uint8_t *inputs = si_take(run, SI_COLUMNS * input_stride);
    float *row = si_take(run, 4 * k);
    for (size_t c = 0; c < SI_COLUMNS; c++) {
        if (shape.is_extreme && c % 4 == 3) {
            si_fill_extreme(run, row, k);
        } else {
            si_fill(run, row, k, c % 4 == 2 ? 1000.0f : 1.0f);
        }
        uint8_t *input = inputs + c * input_stride;
        switch (type->block) {
        case 1: memcpy(input, row, 4 * k); break;
        case 32: run->kernels->quantize_32(k, row, input); break;
        default: run->kernels->quantize_256(k, row, input); break;
        }
    }

    // All columns, in the order of a list and into the rows of another, with a gap between rows.
    enum { GAP = 3 };
    int32_t input_rows[SI_COLUMNS], output_rows[SI_COLUMNS];
    for (int c = 0; c < SI_COLUMNS; c++) {
        input_rows[c] = (c * 7 + 3) % SI_COLUMNS;
        output_rows[c] = input_rows[c];
    }
    float *outputs = si_take(run, 4 * (SI_COLUMNS * (rows + GAP) - GAP));
    struct si_product product = {
        .k = k, .rows = rows, .columns = SI_COLUMNS, .weights = packed, .weight_stride = bytes, .inputs = inputs,
        .input_stride = input_stride, .input_rows = input_rows, .outputs = outputs, .output_stride = rows + GAP,
        .output_rows = output_rows,
    };
    kernel->multiply(&product);
    for (size_t c = 0; c < SI_COLUMNS; c++) {
        const float *output = outputs + c * (rows + GAP);
        si_hash_floats(run, output, rows);
        if (c + 1 < SI_COLUMNS && !si_is_untouched(output + rows, 4 * GAP)) {
            si_fault(run, "product %s, k = %zu: column %zu is written beyond its %zu rows", type->name, k, c, rows);
        }
    }

    float *fewer = si_take(run, 4 * SI_COLUMNS * rows);
    product.input_rows = product.output_rows = NULL;
    product.outputs = fewer;
    product.output_stride = rows;
    for (size_t width = 1; width <= SI_COLUMNS; width++) {
        memset(fewer, SI_SENTINEL, 4 * SI_COLUMNS * rows);
        product.columns = width;
        kernel->multiply(&product);
        for (size_t c = 0; c < width; c++) {
            const uint64_t hash = run->hash;
            si_hash_floats(run, fewer + c * rows, rows);
            const uint64_t alone = run->hash;
            run->hash = hash;
            si_hash_floats(run, outputs + c * (rows + GAP), rows);
            if (run->hash != alone) {
                si_fault(run, "product %s, k = %zu: column %zu differs at width %zu", type->name, k, c, width);
            }
            run->hash = hash;
        }
        if (!si_is_untouched(fewer + width * rows, 4 * (SI_COLUMNS - width) * rows)) {
            si_fault(run, "product %s, k = %zu, width %zu: another column is written", type->name, k, width);
        }
    }
    si_end(run, "product %s %zu x %zu%s", type->name, rows, k, shape.is_extreme ? " extreme" : "");
}

/// Blocks of quantised activations of some lengths.
static void si_run_quantize_cases(struct si_run *run, size_t size) {
    static const size_t counts[] = {1, 15, 16, 17, 31, 32, 33, 63, 100, 255, 256, 257, 600};
    const size_t bytes = size == 32 ? sizeof(struct si_input_32) : sizeof(struct si_input_256);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        const size_t count = counts[i], blocks = (count + size - 1) / size;
        si_begin(run, count);
        float *x = si_take(run, 4 * count);
        uint8_t *out = si_take(run, blocks * bytes);
        for (int variant = 0; variant < 5; variant++) {
            static const float ranges[] = {1, 1e20f, 1e-25f, 1e-33f};
            if (variant < 4) {
                si_fill(run, x, count, ranges[variant]);
            } else {
                si_fill_extreme(run, x, count);
            }
            // Halves between two quanta, which round to even.
            for (size_t n = 0; variant == 0 && n < count; n += 3) { x[n] = (float)(n % 255) - 127.0f + (n ? 0.5f : 0); }
            for (size_t n = 0; variant == 0 && n < count; n += size) { x[n] = 127; }
            if (size == 32) {
                run->kernels->quantize_32(count, x, out);
            } else {
                run->kernels->quantize_256(count, x, out);
            }
            for (size_t b = 0; b < blocks; b++) {
                const uint8_t *block = out + b * bytes;
                const size_t floats = size == 32 ? 2 : 1;
                si_hash_floats(run, (const float *)(const void *)block, floats);
                si_hash_bytes(run, block + 4 * floats, bytes - 4 * floats);
            }
        }
        si_end(run, "quantize %zu, %zu values", size, count);
    }
}

void si_run_product_cases(struct si_run *run) {
    static const struct si_shape floats[] = {
        {1, 5, false}, {7, 37, false}, {16, 33, false}, {100, 70, false}, {1100, 21, false}, {33, 37, true},
    };
    static const struct si_shape blocks[] = {{32, 1, false}, {96, 70, false}, {320, 37, false}, {96, 37, true}};
    static const struct si_shape super_blocks[] = {{256, 1, false}, {256, 70, false}, {768, 21, false}, {512, 37, true}};
    si_run_quantize_cases(run, 32);
    si_run_quantize_cases(run, 256);
    for (size_t i = 0; i < sizeof si_types / sizeof *si_types; i++) {
        const struct si_type *type = si_types + i;
        if (!si_weights_for(run->kernels, type->type)) { continue; }
        const struct si_shape *shapes = type->block == 1 ? floats : type->block == 32 ? blocks : super_blocks;
        const size_t count = type->block == 1 ? sizeof floats / sizeof *floats : sizeof blocks / sizeof *blocks;
        for (size_t s = 0; s < count; s++) { si_run_product_case(run, type, shapes[s]); }
    }
}
