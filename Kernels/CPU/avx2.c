// The kernels compiled for AVX2, FMA and F16C.

#if defined(__x86_64__)

#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "tables.h"

#pragma STDC FP_CONTRACT OFF
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)

#define SI_VECTOR16 "vector16_avx2.inc"
#define SI_LANES_OF_PRODUCTS "lanes_avx2.inc"
#include "body/kernels.inc"

#pragma clang attribute pop

#define SI_TABLE si_kernels_avx2
#define SI_TABLE_NAME "avx2"
#include "body/table.inc"

#endif
