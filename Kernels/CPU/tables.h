// The kernel tables, one per instruction set.
#ifndef SI_TABLES_H
#define SI_TABLES_H

#include "ckernels.h"

#if defined(__x86_64__)
extern const struct si_kernels si_kernels_avx2, si_kernels_avxvnni, si_kernels_avx512;
#elif defined(__aarch64__)
extern const struct si_kernels si_kernels_neon, si_kernels_neon_dotprod, si_kernels_neon_i8mm;
#endif

#endif
