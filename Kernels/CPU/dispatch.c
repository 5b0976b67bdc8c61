// Chooses the kernels for the processor at run time.

#include "ckernels.h"

#include "tables.h"

const struct si_kernels *si_kernels_for_this_processor(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c")) {
        return &si_kernels_avx2;
    }
#endif
    return NULL;
}
