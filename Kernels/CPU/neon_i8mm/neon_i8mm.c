// The kernels compiled for NEON with dot products and matrix products of bytes.

#if defined(__aarch64__)

#include <arm_neon.h>

#include "../body/begin.inc"

#pragma clang attribute push(__attribute__((target("dotprod,i8mm"))), apply_to = function)

#include "../body/vector16.inc"
#include "../neon_dotprod/four_products.inc"
#include "../arm64/vector16.inc"
#include "lanes.inc"
#include "../body/kernels.inc"

#pragma clang attribute pop

#define SI_TABLE si_kernels_neon_i8mm
#define SI_TABLE_NAME "neon_i8mm"
#include "../body/table.inc"

#endif
