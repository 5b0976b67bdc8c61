// exp and tanh with the same operations as the processor's kernels (Sources/Tensors/Reference/ReferenceMath.swift).

// 2^exponent, for |exponent| < 127.
float power(int exponent) { return intBitsToFloat((exponent + 127) << 23); }

float exponential(float argument) {
    // NaN compares false and passes both comparisons.
    precise float x = 89.0 < argument ? 89.0 : argument;
    x = -104.0 > x ? -104.0 : x;
    const float magic = 12582912.0;
    precise float shifted = fma(x, 1.442695, magic);
    precise float n = shifted - magic;
    precise float r = fma(n, -0.693359375, x);
    r = fma(n, 2.1219444e-4, r);
    precise float q = fma(0.0013813142, r, 0.008369419);
    q = fma(q, r, 0.041668456);
    q = fma(q, r, 0.16666515);
    q = fma(q, r, 0.49999994);
    precise float p = 1.0 + fma(r * r, q, r);
    int exponent = floatBitsToInt(shifted) - floatBitsToInt(magic);
    int part = exponent >> 1;
    precise float result = p * power(part) * power(exponent - part);
    return result;
}

float hyperbolicTangent(float x) {
    float magnitude = abs(x);
    precise float z = x * x;
    precise float p = fma(0.0021429588, z, -0.008177395);
    p = fma(p, z, 0.0217007);
    p = fma(p, z, -0.053946763);
    p = fma(p, z, 0.13333206);
    p = fma(p, z, -0.3333333);
    precise float small = fma(x * z, p, x);
    precise float large = 1.0 - 2.0 / (exponential(magnitude + magnitude) + 1.0);
    return magnitude < 0.625 ? small : (x < 0.0 ? -large : large);
}

// x / (1 + exp(−t))
float swish(float x, float t) {
    precise float y = x / (1.0 + exponential(-t));
    return y;
}

// ln(1 + exp(x)) = max(x, 0) + ln(1 + t) with t = exp(−|x|); ln(1 + t) = 2 artanh(s) with s = t / (2 + t), by its series up to s¹⁵.
float softplus(float x) {
    precise float t = exponential(-abs(x));
    precise float s = t / (2.0 + t);
    precise float z = s * s;
    precise float p = fma(1.0 / 15.0, z, 1.0 / 13.0);
    p = fma(p, z, 1.0 / 11.0);
    p = fma(p, z, 1.0 / 9.0);
    p = fma(p, z, 1.0 / 7.0);
    p = fma(p, z, 1.0 / 5.0);
    p = fma(p, z, 1.0 / 3.0);
    p = fma(p, z, 1.0);
    precise float y = fma(s + s, p, 0.0 > x ? 0.0 : x);
    return y;
}
