// Random numbers, guarded memory, hashes and reports; the list of all cases.

#include "support.h"

#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

// MARK: Cases

void si_begin(struct si_run *run, uint64_t seed) {
    run->state = seed;
    run->hash = 0xcbf29ce484222325;
}

void si_end(struct si_run *run, const char *format, ...) {
    char name[100];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(name, sizeof name, format, arguments);
    va_end(arguments);
    run->listener->answer(run->listener->context, name, run->hash);
    while (run->memories > 0) {
        const struct si_memory memory = run->memory[--run->memories];
        munmap(memory.base, memory.size);
    }
}

void si_fault(struct si_run *run, const char *format, ...) {
    char text[200];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    run->listener->fault(run->listener->context, text);
}

void si_run_kernel_cases(const struct si_kernels *kernels, const struct si_listener *listener) {
    struct si_run run = {.kernels = kernels, .listener = listener};
    si_run_product_cases(&run);
    si_run_attention_cases(&run);
    si_run_row_cases(&run);
}

// MARK: Memory

void *si_take(struct si_run *run, size_t size) {
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), pages = (size + page - 1) / page * page;
    const int kind = MAP_PRIVATE | MAP_ANON;
    uint8_t *base = mmap(NULL, pages + page, PROT_READ | PROT_WRITE, kind, -1, 0);
    if (base == MAP_FAILED || mprotect(base + pages, page, PROT_NONE) != 0
        || run->memories == sizeof run->memory / sizeof *run->memory) {
        fputs("no memory for the cases of kernels\n", stderr);
        abort();
    }
    run->memory[run->memories++] = (struct si_memory){base, pages + page};
    memset(base, SI_SENTINEL, pages);
    // Addresses that are a multiple of 4, as those of all operands.
    return base + pages - (size + 3) / 4 * 4;
}

bool si_is_untouched(const void *bytes, size_t size) {
    for (size_t i = 0; i < size; i++) {
        if (((const uint8_t *)bytes)[i] != SI_SENTINEL) { return false; }
    }
    return true;
}

// MARK: Random numbers

uint32_t si_random(struct si_run *run) {
    // SplitMix64 (https://doi.org/10.1145/2714064.2660195)
    uint64_t z = run->state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return (uint32_t)(z >> 32 ^ z);
}

float si_random_float(struct si_run *run, float range) {
    return ((float)(si_random(run) >> 8) * 0x1p-23f - 1.0f) * range;
}

void si_fill(struct si_run *run, float *x, size_t count, float range) {
    for (size_t i = 0; i < count; i++) { x[i] = si_random_float(run, range); }
}

void si_fill_extreme(struct si_run *run, float *x, size_t count) {
    static const uint32_t bits[] = {
        0x00000000, 0x80000000, 0x00000001, 0x807fffff, 0x00800000, 0x0d7fffff, 0x0d800000, 0x38800000,
        0x477fe000, 0xc77ff000, 0x7f7fffff, 0xff7fffff, 0x7f800000, 0xff800000, 0x7fc00000, 0x42b17218,
    };
    for (size_t i = 0; i < count; i++) {
        const uint32_t choice = si_random(run) % 64;
        if (choice < 16) {
            memcpy(x + i, bits + choice, 4);
        } else {
            x[i] = si_random_float(run, choice < 32 ? 100.0f : 1.0f);
        }
    }
}

// MARK: Hashes

static void si_hash_word(struct si_run *run, uint32_t word) {
    run->hash = (run->hash ^ word) * 0x100000001b3;
    run->hash ^= run->hash >> 29;
}

void si_hash_floats(struct si_run *run, const float *x, size_t count) {
    for (size_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, x + i, 4);
        si_hash_word(run, (bits & 0x7fffffff) > 0x7f800000 ? 0x7fc00000 : bits);
    }
}

void si_hash_bytes(struct si_run *run, const void *bytes, size_t size) {
    for (size_t i = 0; i < size; i++) { si_hash_word(run, ((const uint8_t *)bytes)[i]); }
}
