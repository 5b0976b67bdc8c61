// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "swiftinfer",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "SwiftInfer", targets: ["SwiftInfer"]),
        .executable(name: "swiftinfer", targets: ["SwiftInferCommand"]),
    ],
    traits: [
        .trait(
            name: "CommandLine",
            description: "The swiftinfer command and what it needs; a program that uses the library alone turns it off."
        ),
        .trait(
            name: "Vulkan",
            description:
                "The backend for Vulkan devices. Building it takes Vulkan's headers (libvulkan-dev); a driver only its use."
        ),
        .default(enabledTraits: ["CommandLine", "Vulkan"]),
    ],
    dependencies: [
        // The command's alone; the library product depends on nothing outside this package.
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
    ],
    targets: [
        // MARK: Library, from the bottom up; imports point downwards only.
        .target(name: "GGUF"),
        .target(name: "Tokenizers", dependencies: ["GGUF"]),
        .target(name: "CKernels", path: "Kernels/CPU", cSettings: [.define("_GNU_SOURCE")]),
        .target(name: "Tensors", dependencies: ["GGUF", "CKernels"]),
        .target(name: "CVulkanKernels", path: "Kernels/Vulkan", exclude: ["shaders", "spirv", "README.md"]),
        .target(name: "VulkanBackend", dependencies: ["GGUF", "Tensors", "CVulkanKernels"]),
        .target(name: "Transformer", dependencies: ["GGUF", "Tensors"]),
        .target(name: "Decoding", dependencies: ["GGUF", "Tensors"]),
        .target(name: "CodeSwift", dependencies: ["GGUF", "Tokenizers", "Decoding"]),
        .target(
            name: "SwiftInfer",
            dependencies: [
                "GGUF", "Tokenizers", "Tensors", "Transformer", "Decoding", "CodeSwift",
                .target(name: "VulkanBackend", condition: .when(traits: ["Vulkan"])),
            ]),

        // MARK: Command line. The folder cannot be named `swiftinfer`: beside `SwiftInfer` the two would be one
        // folder, and one module file, on a file system that ignores case.
        .executableTarget(
            name: "SwiftInferCommand",
            dependencies: [
                "SwiftInfer", "GGUF", "Tokenizers", "Tensors", "Transformer", "Decoding", "CodeSwift",
                .target(name: "VulkanBackend", condition: .when(traits: ["Vulkan"])),
                .product(
                    name: "ArgumentParser", package: "swift-argument-parser", condition: .when(traits: ["CommandLine"])),
            ],
            // A link to Models/catalogue.json; embedded, so that a binary that is moved still knows it.
            resources: [.embedInCode("Resources/catalogue.json")]
        ),

        // MARK: Tests
        .testTarget(name: "GGUFTests", dependencies: ["GGUF"]),
        .testTarget(name: "TokenizersTests", dependencies: ["Tokenizers", "GGUF"]),
        .testTarget(name: "TensorsTests", dependencies: ["Tensors", "GGUF"]),
        .testTarget(
            name: "VulkanBackendTests",
            dependencies: ["VulkanBackend", "SwiftInfer", "Decoding", "Transformer", "Tensors", "GGUF"]),
        .testTarget(name: "TransformerTests", dependencies: ["Transformer", "Tensors", "GGUF"]),
        .testTarget(name: "DecodingTests", dependencies: ["Decoding", "Tensors", "GGUF"]),
        .testTarget(name: "CodeSwiftTests", dependencies: ["CodeSwift", "GGUF", "Tokenizers", "Decoding"]),
        .testTarget(
            name: "SwiftInferTests", dependencies: ["SwiftInfer", "GGUF", "Tokenizers", "Decoding", "CodeSwift"]),
        .testTarget(name: "CommandTests", dependencies: ["SwiftInferCommand", "GGUF"]),
    ],
    swiftLanguageModes: [.v6],
    cLanguageStandard: .gnu17
)

// MARK: Settings of every Swift target
for target in package.targets where !["CKernels", "CVulkanKernels"].contains(target.name) {
    var settings = target.swiftSettings ?? []
    // https://github.com/swiftlang/swift-evolution/blob/main/proposals/0335-existential-any.md
    settings.append(.enableUpcomingFeature("ExistentialAny"))
    // https://github.com/swiftlang/swift-evolution/blob/main/proposals/0444-member-import-visibility.md
    settings.append(.enableUpcomingFeature("MemberImportVisibility"))
    // https://github.com/swiftlang/swift-evolution/blob/main/proposals/0409-access-level-on-imports.md
    settings.append(.enableUpcomingFeature("InternalImportsByDefault"))
    // https://github.com/swiftlang/swift-evolution/blob/main/proposals/0461-async-function-isolation.md
    settings.append(.enableUpcomingFeature("NonisolatedNonsendingByDefault"))
    target.swiftSettings = settings
}
