// The run-time choice among the sets of kernels: which ones there are, which processors they are for, and which ones this
// processor can run.

#include "ckernels.h"

#include <stdbool.h>

#include "tables.h"

#if defined(__x86_64__)

#include <cpuid.h>

static bool si_has_avx2(void) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
}

/// CPUID leaf 7, subleaf 1: bit 4 of EAX. Not all compiler versions know this feature in __builtin_cpu_supports.
static bool si_has_avxvnni(void) {
    unsigned eax, ebx, ecx, edx;
    return si_has_avx2() && __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) && (eax >> 4 & 1);
}

static bool si_has_avx512(void) {
    return si_has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
        && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")
        && __builtin_cpu_supports("avx512vnni");
}

#elif defined(__aarch64__)

static bool si_has_neon(void) { return true; }

#if defined(__linux__)

#include <asm/hwcap.h>
#include <sys/auxv.h>

static bool si_has_dotprod(void) { return getauxval(AT_HWCAP) & HWCAP_ASIMDDP; }
static bool si_has_i8mm(void) { return si_has_dotprod() && getauxval(AT_HWCAP2) & HWCAP2_I8MM; }

#elif defined(__APPLE__)

#include <sys/sysctl.h>

static bool si_has_feature(const char *name) {
    int value = 0;
    size_t size = sizeof value;
    return sysctlbyname(name, &value, &size, NULL, 0) == 0 && value != 0;
}

static bool si_has_dotprod(void) { return si_has_feature("hw.optional.arm.FEAT_DotProd"); }
static bool si_has_i8mm(void) { return si_has_dotprod() && si_has_feature("hw.optional.arm.FEAT_I8MM"); }

#else

static bool si_has_dotprod(void) { return false; }
static bool si_has_i8mm(void) { return false; }

#endif

#endif

/// A set of kernels, and whether this processor and its system can run it.
struct si_set { const struct si_kernels *kernels; bool (*can_run)(void); };

/// The sets for this architecture, the fastest first, with the first processors that have them.
static const struct si_set si_sets[] = {
#if defined(__x86_64__)
    // Intel Cascade Lake (2019), Ice Lake (2019); AMD Zen 4 (2022)
    {&si_kernels_avx512, si_has_avx512},
    // Intel Alder Lake (2021), Sierra Forest (2024); AMD Zen 5 (2024), which has AVX-512, too
    {&si_kernels_avxvnni, si_has_avxvnni},
    // Intel Haswell (2013); AMD Excavator (2015), Zen (2017)
    {&si_kernels_avx2, si_has_avx2},
#elif defined(__aarch64__)
    // Apple A15 (2021), M2 (2022); Arm Cortex-X2, A710, A510 (2021), Neoverse V1 (2021: Graviton 3), N2, V2
    {&si_kernels_neon_i8mm, si_has_i8mm},
    // Apple A13 (2019), M1 (2020); Arm Cortex-A75, A55 (2017), A76 (Raspberry Pi 5), Neoverse N1 (2019: Graviton 2)
    {&si_kernels_neon_dotprod, si_has_dotprod},
    // Every processor with the architecture: Arm Cortex-A53 (2012), A72 (2015: Raspberry Pi 4, Graviton)
    {&si_kernels_neon, si_has_neon},
#endif
    {NULL, NULL},
};

_Static_assert(sizeof si_sets / sizeof *si_sets - 1 <= SI_TABLES, "number of tables");

const struct si_kernels *si_kernels_for_this_processor(size_t index) {
#if defined(__x86_64__)
    __builtin_cpu_init();
#endif
    for (const struct si_set *set = si_sets; set->kernels; set++) {
        if (set->can_run() && index-- == 0) { return set->kernels; }
    }
    return NULL;
}
