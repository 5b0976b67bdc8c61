// The run-time choice of the tables that this processor can run.

#include "ckernels.h"

#include "tables.h"

#if defined(__x86_64__)

#include <cpuid.h>

/// CPUID leaf 7, subleaf 1: bit 4 of EAX. Not all compiler versions know this feature in __builtin_cpu_supports.
static int si_has_avxvnni(void) {
    unsigned eax, ebx, ecx, edx;
    return __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) && (eax >> 4 & 1);
}

#endif

const struct si_kernels *si_kernels_for_this_processor(size_t index) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    const int has_avx2 =
        __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
    const int has_avx512 = has_avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
        && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")
        && __builtin_cpu_supports("avx512vnni");
    switch (index) {
    case 0: return has_avx512 ? &si_kernels_avx512 : NULL;
    case 1: return has_avx2 && si_has_avxvnni() ? &si_kernels_avxvnni : NULL;
    case 2: return has_avx2 ? &si_kernels_avx2 : NULL;
    default: break;
    }
#endif
    (void)index;
    return NULL;
}
