// The kernels compiled for AVX2, FMA and F16C.

#if defined(__x86_64__)

#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "tables.h"

#pragma STDC FP_CONTRACT OFF
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)

#include "body/names.inc"
#include "body/vector.inc"
#include "body/vector16.inc"
#include "body/vector16_avx2.inc"
#include "body/vector16_math.inc"
#include "body/elementwise.inc"
#include "body/norm.inc"
#include "body/softmax.inc"
#include "body/rotate.inc"
#include "body/quantize.inc"
#include "body/store.inc"
#include "body/score.inc"
#include "body/accumulate.inc"
#include "body/product.inc"
#include "body/multiply_float.inc"
#include "body/lanes_avx2.inc"
#include "body/packed.inc"
#include "body/peak.inc"

#pragma clang attribute pop

#define SI_TABLE si_kernels_avx2
#define SI_TABLE_NAME "avx2"
#include "body/table.inc"

#endif
