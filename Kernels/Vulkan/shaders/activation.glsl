// The non-linearities of feed-forward layers and gates.
#include "mathematics.glsl"

// Whether an activation has a second factor.
layout(constant_id = 1) const bool IS_GATED = false;

// f(gate) · up, or f(gate). `kind` is 0 for SiLU, 1 for GELU, 2 for the clamped SwiGLU, 3 for the identity, 4 for the sigmoid, 5 for
// softplus, 6 for the squared ReLU.
float activated(uint kind, float gate, float up) {
    precise float g = gate, u = up, t = gate;
    if (kind == 1) {
        t = 0.7978845608 * fma(0.044715 * (g * g), g, g);
        t = t + t;
    }
    if (kind == 2) {
        g = 7.0 < g ? 7.0 : g;
        t = 1.702 * g;
        u = 7.0 < u ? 7.0 : u;
        u = (-7.0 > u ? -7.0 : u) + 1.0;
    }
    precise float value = g;
    if (kind <= 2) value = swish(g, t);
    if (kind == 4) value = swish(1.0, t);
    if (kind == 5) value = softplus(g);
    if (kind == 6) {
        value = 0.0 > g ? 0.0 : g;
        value *= value;
    }
    if (IS_GATED) value *= u;
    return value;
}
