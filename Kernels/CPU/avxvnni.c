// The kernels compiled for AVX2, FMA, F16C and VNNI in vectors of 256 bits.

#if defined(__x86_64__)

#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "tables.h"

#pragma STDC FP_CONTRACT OFF
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c,avxvnni"))), apply_to = function)

#define SI_VECTOR16 "vector16_avx2.inc"
#define SI_LANES_OF_PRODUCTS "lanes_avxvnni.inc"
#include "body/kernels.inc"

#pragma clang attribute pop

#define SI_TABLE si_kernels_avxvnni
#define SI_TABLE_NAME "avxvnni"
#include "body/table.inc"

#endif
