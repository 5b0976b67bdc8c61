// The C part of the Vulkan backend: Vulkan's declarations, its commands, looked up at run time, and the embedded shaders.
#ifndef CVULKAN_H
#define CVULKAN_H

#include "vulkan_commands.h"

#if __has_include(<vulkan/vulkan_core.h>)
#include <vulkan/vulkan_core.h>
#else
#error "Vulkan's headers are not there: install them (Debian: libvulkan-dev), or build without the trait Vulkan"
#endif

_Static_assert(sizeof(void *) == 8, "all handles are pointers");

/// Vulkan's commands, looked up at run time. Member NAME is the address of vkNAME.
struct si_vulkan {
#define X(name) PFN_vk##name name;
    SI_VULKAN_GLOBAL_COMMANDS
    SI_VULKAN_INSTANCE_COMMANDS
    SI_VULKAN_OPTIONAL_COMMANDS
    SI_VULKAN_DEVICE_COMMANDS
#undef X
    /// The loader's vkGetInstanceProcAddr.
    PFN_vkVoidFunction (*get_address)(VkInstance instance, const char *name);
};

/// Opens the system's Vulkan loader and fills in the commands that need no instance. Returns false if there is no loader. The
/// library stays open until the process ends.
_Bool si_vulkan_open(struct si_vulkan *vulkan);

/// Fills in the commands of an instance. Returns false if one is missing.
_Bool si_vulkan_load_instance(struct si_vulkan *vulkan, VkInstance instance);

/// Fills in the commands of a device. Returns false if one is missing.
_Bool si_vulkan_load_device(struct si_vulkan *vulkan, VkDevice device);

/// The shaders by name, in the order of vulkan_shaders.h.
enum si_shader_name {
#define X(name) SI_SHADER_##name,
#include "vulkan_shaders.h"
#undef X
    SI_SHADERS
};

/// A shader's SPIR-V words.
struct si_shader {
    const char *name;
    const uint32_t *words;
    size_t byte_count;
};

/// The shader with number `name` < SI_SHADERS.
struct si_shader si_shader(uint32_t name);

#endif
