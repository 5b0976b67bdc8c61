// Prints the answer of every case for one set of kernels, a line each, and complains about faults.
//
// usage: kernel-cases names | SET | wrong SET
//   names      the sets that this processor can run, the fastest first
//   wrong SET  the set with a few kernels that are wrong: a control of the cases
// Exit status: 0 no fault, 1 a fault, 75 this processor cannot run the set, 64 usage.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "kernel_cases.h"

static void print_answer(void *context, const char *name, uint64_t answer) {
    (void)context;
    printf("%016" PRIx64 " %s\n", answer, name);
}

static void print_fault(void *context, const char *fault) {
    *(int *)context += 1;
    fprintf(stderr, "%s\n", fault);
}

int main(int count, char **arguments) {
    const int is_wrong = count == 3 && strcmp(arguments[1], "wrong") == 0;
    if (count != 2 && !is_wrong) {
        fputs("usage: kernel-cases names | SET | wrong SET\n", stderr);
        return 64;
    }
    const char *name = arguments[count - 1];
    const struct si_kernels *kernels;
    for (size_t i = 0; i < SI_TABLES && (kernels = si_kernels_for_this_processor(i)); i++) {
        if (strcmp(name, "names") == 0) {
            puts(kernels->name);
        } else if (strcmp(name, kernels->name) == 0) {
            int faults = 0;
            const struct si_kernels wrong = is_wrong ? si_wrong_kernels(kernels) : *kernels;
            si_run_kernel_cases(&wrong, &(struct si_listener){&faults, print_answer, print_fault});
            return faults ? 1 : 0;
        }
    }
    return strcmp(name, "names") == 0 ? 0 : 75;
}
