// The order of logits, as unsigned integers: comparing floats is the driver's affair where there are NaN, −0 and subnormals.

// Values whose maximum is taken.
const uint BLOCK = 64;

// Larger for a larger logit and never 0, but 0 for what no token is chosen by: NaN and −∞.
uint likelihood(float logit) {
    uint bits = floatBitsToUint(logit);
    if ((bits & 0x7fffffffu) > 0x7f800000u || bits == 0xff800000u) return 0;
    if (bits == 0x80000000u) bits = 0;
    return bits >> 31 == 0 ? bits | 0x80000000u : ~bits;
}

// The logit of a likelihood that is not 0.
float logitOf(uint likelihood) {
    return uintBitsToFloat(likelihood >> 31 == 0 ? ~likelihood : likelihood & 0x7fffffffu);
}
