// The kernels compiled for AVX2, FMA, F16C and VNNI in vectors of 256 bits.

#if defined(__x86_64__)

#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "tables.h"

#pragma STDC FP_CONTRACT OFF
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c,avxvnni"))), apply_to = function)

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
#include "body/lanes_avxvnni.inc"
#include "body/packed.inc"
#include "body/peak.inc"

#pragma clang attribute pop

#define SI_TABLE si_kernels_avxvnni
#define SI_TABLE_NAME "avxvnni"
#include "body/table.inc"

#endif
