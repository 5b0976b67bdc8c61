// The kernels compiled for AVX-512 with VNNI.

#if defined(__x86_64__)

#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "tables.h"

#pragma STDC FP_CONTRACT OFF
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni"))), apply_to = function)

#define SI_VECTOR16 "vector16_avx512.inc"
#define SI_LANES_OF_PRODUCTS "lanes_avx512.inc"
#include "body/kernels.inc"

#pragma clang attribute pop

#define SI_TABLE si_kernels_avx512
#define SI_TABLE_NAME "avx512"
#include "body/table.inc"

#endif
