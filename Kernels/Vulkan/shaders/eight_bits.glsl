// Rounding values to eight bits by the largest magnitude m of a block: value = round(x · 127 / m).

// The bits of |x|. They have the order of the magnitudes, with NaN above all numbers.
uint magnitudeBits(float x) { return floatBitsToUint(x) & 0x7fffffffu; }

// Whether a block whose largest magnitude has these bits is treated as zero, or has a value that is not finite.
bool isZero(uint magnitude) { return magnitude < 0x0d800000u; }
bool isInvalid(uint magnitude) { return magnitude >= 0x7f800000u; }

// The factor that turns a block's values into quanta.
float quantizingFactor(uint magnitude) {
    return isZero(magnitude) || isInvalid(magnitude) ? 0.0 : 127.0 / uintBitsToFloat(magnitude);
}

// The factor that turns its quanta into values.
float blockScale(uint magnitude) {
    precise float scale = uintBitsToFloat(magnitude) / 127.0;
    return isZero(magnitude) ? 0.0 : isInvalid(magnitude) ? uintBitsToFloat(0x7fc00000u) : scale;
}

int quantum(float x, float factor) {
    precise float scaled = x * factor;
    return factor == 0.0 ? 0 : int(roundEven(scaled));
}

// The nearest f16; `x` itself outside the range of f16's normal numbers.
float roundedToHalf(float x) {
    float rounded = unpackHalf2x16(packHalf2x16(vec2(x, 0.0))).x;
    return abs(x) >= 6.103515625e-5 && abs(x) < 65520.0 ? rounded : x;
}
