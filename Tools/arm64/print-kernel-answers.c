// Prints the answer of every case of Tests/KernelCases for the kernels of one name, a line each, and complains about faults.
//
// usage: print-kernel-answers NAME [WIDTHS]      NAME: a set of kernels, or "names" for the names of those that can run here
// Exit status: 0 no fault, 1 a fault, 75 this processor cannot run the kernels, 64 usage.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel_cases.h"

static void print_answer(void *context, const char *name, uint64_t answer) {
    (void)context;
    printf("%016" PRIx64 " %s\n", answer, name);
    fflush(stdout);
}

static void print_fault(void *context, const char *fault) {
    *(int *)context += 1;
    fprintf(stderr, "%s\n", fault);
}

int main(int count, char **arguments) {
    if (count < 2 || count > 3) {
        fputs("usage: print-kernel-answers NAME [WIDTHS]\n", stderr);
        return 64;
    }
    const int widths = count > 2 ? atoi(arguments[2]) : 64;
    int is_found = 0, faults = 0;
    for (size_t i = 0; i < SI_TABLES; i++) {
        const struct si_kernels *kernels = si_kernels_for_this_processor(i);
        if (!kernels) { continue; }
        if (strcmp(arguments[1], "names") == 0) {
            puts(kernels->name);
            is_found = 1;
        } else if (strcmp(arguments[1], kernels->name) == 0) {
            is_found = 1;
            si_run_kernel_cases(kernels, widths, &(struct si_listener){&faults, print_answer, print_fault});
        }
    }
    return !is_found ? 75 : faults ? 1 : 0;
}
