// What all cases use: random numbers, memory with a forbidden page behind it, hashes.
#ifndef SUPPORT_H
#define SUPPORT_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "kernel_cases.h"

/// Outputs are filled with this before a kernel runs; what it must not write keeps it.
enum { SI_SENTINEL = 0xa5 };

/// The state of a run.
struct si_run {
    const struct si_kernels *kernels;
    const struct si_listener *listener;
    /// Of the generator of random numbers.
    uint64_t state;
    /// The hash of the current case.
    uint64_t hash;
    /// Blocks of memory in use.
    struct si_memory { uint8_t *base; size_t size; } memory[256];
    int memories;
};

// MARK: Cases

/// Begins a case: seeds the random numbers.
void si_begin(struct si_run *run, uint64_t seed);

/// Ends a case: reports its answer under a name, and frees its memory.
void si_end(struct si_run *run, const char *format, ...) __attribute__((format(printf, 2, 3)));

/// Reports a fault.
void si_fault(struct si_run *run, const char *format, ...) __attribute__((format(printf, 2, 3)));

// MARK: Memory

/// `size` bytes, filled with the sentinel, that end where no access is allowed. They begin at a multiple of 4, and of 64 if the
/// size is one.
void *si_take(struct si_run *run, size_t size);

/// Whether all of these bytes are the sentinel.
bool si_is_untouched(const void *bytes, size_t size);

// MARK: Random numbers

uint32_t si_random(struct si_run *run);

/// A number in −range..<range.
float si_random_float(struct si_run *run, float range);

/// Fills with numbers in −range..<range.
void si_fill(struct si_run *run, float *x, size_t count, float range);

/// Fills with numbers of which some are zero, subnormal, huge, infinite or NaN.
void si_fill_extreme(struct si_run *run, float *x, size_t count);

// MARK: Hashes

/// Adds values to the hash of the case.
void si_hash_floats(struct si_run *run, const float *x, size_t count);
void si_hash_bytes(struct si_run *run, const void *bytes, size_t size);

// MARK: The cases, by kind of kernel

void si_run_product_cases(struct si_run *run);
void si_run_attention_cases(struct si_run *run);
void si_run_row_cases(struct si_run *run);

#endif
