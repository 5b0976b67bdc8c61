// Cases of the kernels of attention: storing keys and values, scores, weighted sums.

#include "support.h"

/// A type of the cache, and its bits per value.
struct si_cache { const char *name; int bits; };
static const struct si_cache si_caches[] = {{"f32", 32}, {"f16", 16}, {"q8_0", 8}};

static size_t si_value_bytes(const struct si_cache *cache, size_t dimension) {
    return cache->bits == 8 ? dimension / 32 * sizeof(struct si_block_q8_0) : dimension * (size_t)cache->bits / 8;
}

static void si_store_a_value(struct si_run *run, const struct si_cache *cache, size_t count, const float *x, void *y) {
    switch (cache->bits) {
    case 32: memcpy(y, x, 4 * count); break;
    case 16: run->kernels->store_f16(count, x, y); break;
    default: run->kernels->store_q8_0(count, x, y); break;
    }
}

static void si_store_a_key(
    struct si_run *run, const struct si_cache *cache, size_t count, const float *x, void *panel, size_t lane) {
    switch (cache->bits) {
    case 32: run->kernels->store_key_f32(count, x, panel, lane); break;
    case 16: run->kernels->store_key_f16(count, x, panel, lane); break;
    default: run->kernels->store_key_q8_0(count, x, panel, lane); break;
    }
}

/// Numbers of a row, every fourth row with extreme ones if `is_extreme`.
static void si_fill_row(struct si_run *run, float *row, size_t count, size_t index, bool is_extreme) {
    if (is_extreme && index % 4 == 3) {
        si_fill_extreme(run, row, count);
    } else {
        si_fill(run, row, count, 2);
    }
}

/// Keys stored in panels, and the scores of up to 19 queries with up to 7 panels.
static void si_run_score_case(struct si_run *run, const struct si_cache *cache, size_t dimension, bool is_extreme) {
    enum { PANELS = 7, QUERIES = 19, GAP = 3 };
    si_begin(run, dimension + (size_t)cache->bits);
    const size_t panel_bytes = 16 * si_value_bytes(cache, dimension);
    uint8_t *keys = si_take(run, PANELS * panel_bytes);
    float *row = si_take(run, 4 * dimension);
    for (size_t slot = 0; slot < 16 * PANELS; slot++) {
        si_fill_row(run, row, dimension, slot, is_extreme);
        si_store_a_key(run, cache, dimension, row, keys + slot / 16 * panel_bytes, slot % 16);
    }
    si_hash_bytes(run, keys, PANELS * panel_bytes);

    const size_t query_bytes = cache->bits == 8 ? dimension / 32 * sizeof(struct si_input_32) : 4 * dimension;
    uint8_t *queries = si_take(run, QUERIES * query_bytes);
    for (size_t q = 0; q < QUERIES; q++) {
        si_fill_row(run, row, dimension, q, is_extreme);
        if (cache->bits == 8) {
            run->kernels->quantize_32(dimension, row, queries + q * query_bytes);
        } else {
            memcpy(queries + q * query_bytes, row, 4 * dimension);
        }
    }
    const size_t stride = 16 * PANELS + GAP;
    for (size_t count = 1; count <= QUERIES; count++) {
        const size_t panels = 1 + (count * 5 + dimension) % PANELS;
        float *scores = si_take(run, 4 * (count * stride - GAP));
        const struct si_scoring scoring = {
            .dimension = dimension, .panels = panels, .keys = keys, .count = count, .queries = queries,
            .query_stride = query_bytes, .scores = scores, .score_stride = stride,
        };
        switch (cache->bits) {
        case 32: run->kernels->score_f32(&scoring); break;
        case 16: run->kernels->score_f16(&scoring); break;
        default: run->kernels->score_q8_0(&scoring); break;
        }
        for (size_t q = 0; q < count; q++) {
            const float *result = scores + q * stride;
            si_hash_floats(run, result, 16 * panels);
            const size_t length = q + 1 < count ? stride : 16 * PANELS;
            if (!si_is_untouched(result + 16 * panels, 4 * (length - 16 * panels))) {
                si_fault(run, "score %s, %zu: query %zu is written beyond its scores", cache->name, dimension, q);
            }
        }
    }
    si_end(run, "score %s, %zu%s", cache->name, dimension, is_extreme ? " extreme" : "");
}

/// Values stored, and the weighted sums of up to 13 queries, with the values in order and by a list.
static void si_run_sum_case(struct si_run *run, const struct si_cache *cache, size_t dimension, bool is_extreme) {
    enum { VALUES = 11, QUERIES = 13, GAP = 3 };
    si_begin(run, dimension + (size_t)cache->bits);
    const size_t value_bytes = si_value_bytes(cache, dimension);
    uint8_t *values = si_take(run, VALUES * value_bytes);
    float *row = si_take(run, 4 * dimension), *weights = si_take(run, 4 * QUERIES * VALUES);
    for (size_t j = 0; j < VALUES; j++) {
        si_fill_row(run, row, dimension, j, is_extreme);
        si_store_a_value(run, cache, dimension, row, values + j * value_bytes);
    }
    si_hash_bytes(run, values, VALUES * value_bytes);
    si_fill_row(run, weights, QUERIES * VALUES, 3, is_extreme);
    static const int32_t list[VALUES] = {0, 1, 4, 9, 5, 3, 3, 5, 9, 4, 10};
    const size_t stride = dimension + GAP;
    for (size_t queries = 1; queries <= QUERIES; queries++) {
        float *outputs = si_take(run, 4 * (queries * stride - GAP));
        for (size_t q = 0; q < queries; q++) { si_fill(run, outputs + q * stride, dimension, 1); }
        const struct si_accumulation accumulation = {
            .dimension = dimension, .count = VALUES, .values = values, .value_stride = value_bytes,
            .rows = queries % 2 ? list : NULL, .queries = queries, .weights = weights, .weight_stride = VALUES,
            .outputs = outputs, .output_stride = stride,
        };
        switch (cache->bits) {
        case 32: run->kernels->accumulate_f32(&accumulation); break;
        case 16: run->kernels->accumulate_f16(&accumulation); break;
        default: run->kernels->accumulate_q8_0(&accumulation); break;
        }
        for (size_t q = 0; q < queries; q++) {
            si_hash_floats(run, outputs + q * stride, dimension);
            if (q + 1 < queries && !si_is_untouched(outputs + q * stride + dimension, 4 * GAP)) {
                si_fault(run, "sum %s, %zu: query %zu is written beyond its sums", cache->name, dimension, q);
            }
        }
    }
    si_end(run, "sum %s, %zu%s", cache->name, dimension, is_extreme ? " extreme" : "");
}

void si_run_attention_cases(struct si_run *run) {
    static const size_t floats[] = {1, 5, 16, 33, 64, 77, 128}, bytes[] = {32, 64, 96, 256};
    for (size_t i = 0; i < sizeof si_caches / sizeof *si_caches; i++) {
        const struct si_cache *cache = si_caches + i;
        const size_t *dimensions = cache->bits == 8 ? bytes : floats;
        const size_t count = cache->bits == 8 ? sizeof bytes / sizeof *bytes : sizeof floats / sizeof *floats;
        for (size_t d = 0; d < count; d++) {
            si_run_score_case(run, cache, dimensions[d], false);
            si_run_sum_case(run, cache, dimensions[d], false);
        }
        si_run_score_case(run, cache, 96, true);
        si_run_sum_case(run, cache, 96, true);
    }
}
