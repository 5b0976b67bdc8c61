// The SPIR-V of the shaders, embedded, so that a program needs no files beside it.
#include "cvulkan.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

#define EMBEDDED(name) static const _Alignas(4) unsigned char name[] =
EMBEDDED(activate_rounded) {
#embed "spirv/activate_rounded.spv"
};
EMBEDDED(attend_combine) {
#embed "spirv/attend_combine.spv"
};
EMBEDDED(attend_scores) {
#embed "spirv/attend_scores.spv"
};
EMBEDDED(attend_values) {
#embed "spirv/attend_values.spv"
};
EMBEDDED(block_maxima) {
#embed "spirv/block_maxima.spv"
};
EMBEDDED(convolve) {
#embed "spirv/convolve.spv"
};
EMBEDDED(copy_columns) {
#embed "spirv/copy_columns.spv"
};
EMBEDDED(elementwise) {
#embed "spirv/elementwise.spv"
};
EMBEDDED(embed) {
#embed "spirv/embed.spv"
};
EMBEDDED(gather) {
#embed "spirv/gather.spv"
};
EMBEDDED(keep_inputs) {
#embed "spirv/keep_inputs.spv"
};
EMBEDDED(likeliest) {
#embed "spirv/likeliest.spv"
};
EMBEDDED(move_slots) {
#embed "spirv/move_slots.spv"
};
EMBEDDED(multiply_float) {
#embed "spirv/multiply_float.spv"
};
EMBEDDED(multiply_quantized) {
#embed "spirv/multiply_quantized.spv"
};
EMBEDDED(normalize) {
#embed "spirv/normalize.spv"
};
EMBEDDED(quantize) {
#embed "spirv/quantize.spv"
};
EMBEDDED(rotate) {
#embed "spirv/rotate.spv"
};
EMBEDDED(route) {
#embed "spirv/route.spv"
};
EMBEDDED(scan) {
#embed "spirv/scan.spv"
};
EMBEDDED(shift_windows) {
#embed "spirv/shift_windows.spv"
};
EMBEDDED(softmax_blocks) {
#embed "spirv/softmax_blocks.spv"
};
EMBEDDED(softmax_sums) {
#embed "spirv/softmax_sums.spv"
};
EMBEDDED(store) {
#embed "spirv/store.spv"
};

struct si_shader si_shader(uint32_t name) {
    switch (name) {
#define X(name) \
    case SI_SHADER_##name: return (struct si_shader){#name, (const uint32_t *)name, sizeof name};
#include "vulkan_shaders.h"
#undef X
    default: return (struct si_shader){"", NULL, 0};
    }
}
