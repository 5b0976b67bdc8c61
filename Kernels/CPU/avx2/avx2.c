// The kernels compiled for AVX2, FMA and F16C.

#if defined(__x86_64__)

#include <immintrin.h>

#include "../body/begin.inc"

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)

#include "../body/vector16.inc"
#include "vector16.inc"
#include "../x86/bytes.inc"
#include "lanes.inc"
#include "../body/kernels.inc"

#pragma clang attribute pop

#define SI_TABLE si_kernels_avx2
#define SI_TABLE_NAME "avx2"
#include "../body/table.inc"

#endif
