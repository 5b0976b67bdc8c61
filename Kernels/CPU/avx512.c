// The kernels compiled for AVX-512 with VNNI.

#if defined(__x86_64__)

#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "tables.h"

#pragma STDC FP_CONTRACT OFF
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni"))), apply_to = function)

#include "body/names.inc"
#include "body/vector.inc"
#include "body/vector16.inc"
#include "body/vector16_avx512.inc"
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
#include "body/lanes_avx512.inc"
#include "body/packed.inc"
#include "body/peak.inc"

#pragma clang attribute pop

#define SI_TABLE si_kernels_avx512
#define SI_TABLE_NAME "avx512"
#include "body/table.inc"

#endif
