// The kernels compiled for AVX-512 with VNNI.

#if defined(__x86_64__)

#include <immintrin.h>

#include "../body/begin.inc"

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni"))), apply_to = function)

#include "../body/vector16.inc"
#include "vector16.inc"
#include "../x86/bytes.inc"
#include "lanes.inc"
#include "../body/kernels.inc"

#pragma clang attribute pop

#define SI_TABLE si_kernels_avx512
#define SI_TABLE_NAME "avx512"
#include "../body/table.inc"

#endif
