// Looks up Vulkan's commands at run time, so that a program also starts on a machine without a Vulkan loader.
#include "cvulkan.h"

#include <dlfcn.h>

static const char *const library_names[] = {
#if defined(__APPLE__)
    // dlopen does not look into Homebrew's folders.
    "libvulkan.1.dylib", "/opt/homebrew/lib/libvulkan.1.dylib", "/usr/local/lib/libvulkan.1.dylib", "libvulkan.dylib",
    "libMoltenVK.dylib", "/opt/homebrew/lib/libMoltenVK.dylib",
#else
    "libvulkan.so.1", "libvulkan.so",
#endif
};

_Bool si_vulkan_open(struct si_vulkan *vulkan) {
    void *library = NULL;
    for (size_t i = 0; !library && i < sizeof library_names / sizeof *library_names; i++)
        library = dlopen(library_names[i], RTLD_NOW | RTLD_LOCAL);
    if (!library) return 0;
    void *address = dlsym(library, "vkGetInstanceProcAddr");
    if (!address) return 0;
    __builtin_memcpy(&vulkan->get_address, &address, sizeof address);
    _Bool found = 1;
#define X(command) \
    vulkan->command = (PFN_vk##command)vulkan->get_address(NULL, "vk" #command); \
    found &= vulkan->command != NULL;
    SI_VULKAN_GLOBAL_COMMANDS
#undef X
    return found;
}

_Bool si_vulkan_load_instance(struct si_vulkan *vulkan, VkInstance instance) {
    _Bool found = 1;
#define X(command) \
    vulkan->command = (PFN_vk##command)vulkan->get_address(instance, "vk" #command); \
    found &= vulkan->command != NULL;
    SI_VULKAN_INSTANCE_COMMANDS
#undef X
#define X(command) vulkan->command = (PFN_vk##command)vulkan->get_address(instance, "vk" #command);
    SI_VULKAN_OPTIONAL_COMMANDS
#undef X
    return found;
}

_Bool si_vulkan_load_device(struct si_vulkan *vulkan, VkDevice device) {
    _Bool found = 1;
#define X(command) \
    vulkan->command = (PFN_vk##command)vulkan->GetDeviceProcAddr(device, "vk" #command); \
    found &= vulkan->command != NULL;
    SI_VULKAN_DEVICE_COMMANDS
#undef X
    return found;
}
