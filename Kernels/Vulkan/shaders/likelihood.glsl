// The order of logits as unsigned integers, because drivers may compare NaN, −0 and subnormals differently.

// Logits of a block, whose maximum is computed.
const uint BLOCK = 64;

// The order number of a logit: larger for a larger logit, 0 only for NaN and −∞, which are never chosen.
uint likelihood(float logit) {
    uint bits = floatBitsToUint(logit);
    if ((bits & 0x7fffffffu) > 0x7f800000u || bits == 0xff800000u) return 0;
    if (bits == 0x80000000u) bits = 0;
    return bits >> 31 == 0 ? bits | 0x80000000u : ~bits;
}

// The logit with an order number that is not 0.
float logitOf(uint likelihood) {
    return uintBitsToFloat(likelihood >> 31 == 0 ? ~likelihood : likelihood & 0x7fffffffu);
}
