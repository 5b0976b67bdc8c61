// The numerators of the softmax of scaled logits.
#include "mathematics.glsl"
#include "likelihood.glsl"

// exp(scale · (logit − largest)); 0 for NaN and −∞.
float numerator(float logit, float largest, float scale) {
    precise float x = (logit - largest) * scale;
    return likelihood(logit) == 0 ? 0.0 : exponential(x);
}
