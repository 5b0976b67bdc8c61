// The kernels compiled for AVX2, FMA, F16C and VNNI in vectors of 256 bits.

#if defined(__x86_64__)

#include <immintrin.h>

#include "../body/begin.inc"

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c,avxvnni"))), apply_to = function)

#include "../body/vector16.inc"
#include "../avx2/vector16.inc"
#include "../x86/bytes.inc"
#include "lanes.inc"
#include "../body/kernels.inc"

#pragma clang attribute pop

#define SI_TABLE si_kernels_avxvnni
#define SI_TABLE_NAME "avxvnni"
#include "../body/table.inc"

#endif
