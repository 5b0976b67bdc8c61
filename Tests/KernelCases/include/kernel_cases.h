// Cases for every kernel of a table, with the same inputs on every machine: tables that give the same answers compute the
// same bits. The tests run them on the kernels in Swift and on those of this processor, Tools/checks/kernels on those of
// other processors, in an emulator.
#ifndef KERNEL_CASES_H
#define KERNEL_CASES_H

#include <stdint.h>

#include "ckernels.h"

/// Receives the answer of one case: a hash of its outputs. All NaNs count as one.
typedef void si_receive_answer(void *context, const char *name, uint64_t answer);

/// Receives a description of something that no kernel may do, such as a write beyond the outputs.
typedef void si_receive_fault(void *context, const char *fault);

/// Who listens.
struct si_listener {
    void *context;
    si_receive_answer *answer;
    si_receive_fault *fault;
};

/// Runs all cases on the kernels of a table. An access beyond the operands of a kernel faults.
///
/// Every width of a product from 1 to `widths`, at most 64, is compared with the widest one. Answers do not depend on it.
void si_run_kernel_cases(const struct si_kernels *kernels, int widths, const struct si_listener *listener);

#endif
