// The kernels compiled for NEON, which every 64-bit ARM processor has.

#if defined(__aarch64__)

#include <arm_neon.h>

#include "../body/begin.inc"

#include "../body/vector16.inc"
#include "four_products.inc"
#include "../arm64/vector16.inc"
#include "lanes.inc"
#include "../body/kernels.inc"

#define SI_TABLE si_kernels_neon
#define SI_TABLE_NAME "neon"
#include "../body/table.inc"

#endif
