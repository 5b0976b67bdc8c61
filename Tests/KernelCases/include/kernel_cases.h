// Cases for every kernel of a table, with the same inputs on every machine: tables that give the same answers compute the
// same bits. Tools/checks/kernels runs them on the kernels of this processor, and in an emulator on those of others.
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
/// Every width of a product from 1 to 64 is compared with the widest one. Answers do not depend on it.
void si_run_kernel_cases(const struct si_kernels *kernels, const struct si_listener *listener);

/// The kernels of a table, of which a few are wrong; its cases have other answers, and faults. One table at a time.
struct si_kernels si_wrong_kernels(const struct si_kernels *right);

#endif
