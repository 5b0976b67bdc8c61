// Kernels that are wrong in the ways that the cases have to find.

#include <math.h>

#include "support.h"

/// The kernels that the wrong ones are made of.
static struct si_kernels si_right;

/// The last bit of an exponential is wrong.
static void si_wrong_exp(size_t count, const float *x, float *y) {
    si_right.exp(count, x, y);
    y[count / 2] = nextafterf(y[count / 2], INFINITY);
}

/// The first column depends on the number of columns.
static void si_wrong_q4_0(const struct si_product *product) {
    si_right.weights[2].multiply(product);
    if (product->columns == 5) { product->outputs[0] += 1; }
}

/// A column more than the product has is written.
static void si_wrong_q8_0(const struct si_product *product) {
    si_right.weights[8].multiply(product);
    if (product->columns == 7) { product->outputs[7 * product->output_stride] = 0; }
}

/// A dimension more than a value has is written, between two queries.
static void si_wrong_accumulate(const struct si_accumulation *accumulation) {
    si_right.accumulate_f32(accumulation);
    if (accumulation->queries > 1) { accumulation->outputs[accumulation->dimension] = 0; }
}

struct si_kernels si_wrong_kernels(const struct si_kernels *right) {
    si_right = *right;
    struct si_kernels wrong = *right;
    wrong.exp = si_wrong_exp;
    wrong.weights[2].multiply = si_wrong_q4_0;
    wrong.weights[8].multiply = si_wrong_q8_0;
    wrong.accumulate_f32 = si_wrong_accumulate;
    return wrong;
}
