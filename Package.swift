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
        .trait(
            name: "BLAS",
            description:
                "Products by OpenBLAS (libopenblas0), on macOS by Accelerate: the kernels `openblas`. The library is opened when a program runs, so building needs nothing."
        ),
        .trait(
            name: "Server",
            description: "The HTTP server and the command that starts it. Without it no package for HTTP is fetched."
        ),
        .default(enabledTraits: ["BLAS", "CommandLine", "Server", "Vulkan"]),
    ],
    dependencies: [
        // The command's and the server's alone; the library product depends on nothing outside this package.
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.14.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.34.1"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0", traits: []),
    ],
    targets: [
        // MARK: Library, from the bottom up; imports point downwards only. Names carry a prefix, so that no other package's
        // target has the same.
        .target(name: "InferSupport", path: "Sources/Support"),
        .target(
            name: "InferCatalogue", dependencies: ["InferSupport"], path: "Sources/Catalogue",
            // A link to Models/catalogue.json; embedded, so that a binary that is moved still knows it.
            resources: [.embedInCode("Resources/catalogue.json")]),
        .target(name: "InferGGUF", dependencies: ["InferSupport"], path: "Sources/GGUF"),
        .target(name: "InferTokenizers", dependencies: ["InferSupport", "InferGGUF"], path: "Sources/Tokenizers"),
        .target(
            name: "InferTemplates", dependencies: ["InferSupport", "InferGGUF", "InferTokenizers"],
            path: "Sources/Templates"),
        .target(name: "CInferKernels", path: "Kernels/CPU", cSettings: [.define("_GNU_SOURCE")]),
        .target(
            name: "InferTensors", dependencies: ["InferSupport", "InferGGUF", "CInferKernels"], path: "Sources/Tensors"),
        .target(
            name: "CInferVulkanKernels", path: "Kernels/Vulkan", exclude: ["shaders", "spirv", "README.md"]),
        .target(
            name: "InferVulkan", dependencies: ["InferSupport", "InferGGUF", "InferTensors", "CInferVulkanKernels"],
            path: "Sources/VulkanBackend"),
        .target(
            name: "InferTransformer", dependencies: ["InferSupport", "InferGGUF", "InferTensors"],
            path: "Sources/Transformer"),
        .target(name: "InferGrammar", dependencies: ["InferSupport"], path: "Sources/Grammar"),
        .target(
            name: "InferDecoding", dependencies: ["InferSupport", "InferGrammar", "InferTensors", "InferTransformer"],
            path: "Sources/Decoding"),
        .target(
            name: "InferCodeSwift",
            dependencies: ["InferSupport", "InferGGUF", "InferTokenizers", "InferDecoding"], path: "Sources/CodeSwift"),
        .target(
            name: "SwiftInfer",
            dependencies: [
                "InferSupport", "InferCatalogue", "InferGGUF", "InferTokenizers", "InferTemplates", "InferGrammar",
                "InferTensors", "InferTransformer", "InferDecoding", "InferCodeSwift",
                .target(name: "InferVulkan", condition: .when(traits: ["Vulkan"])),
            ]),

        // MARK: Measuring. A program or test can call it without the command.
        .target(
            name: "InferEvaluation",
            dependencies: [
                "SwiftInfer", "InferSupport", "InferGGUF", "InferTokenizers", "InferTensors", "InferTransformer",
                "InferDecoding", "InferCodeSwift",
            ], path: "Sources/Evaluation"),

        // MARK: Server. Without its trait the module is empty, and the command leaves it out.
        .target(
            name: "SwiftInferServer",
            dependencies: [
                "SwiftInfer", "InferSupport", "InferTokenizers", "InferDecoding", "InferTemplates",
                .product(name: "Hummingbird", package: "hummingbird", condition: .when(traits: ["Server"])),
                .product(name: "HummingbirdCore", package: "hummingbird", condition: .when(traits: ["Server"])),
                .product(
                    name: "ServiceLifecycle", package: "swift-service-lifecycle", condition: .when(traits: ["Server"])),
                .product(name: "UnixSignals", package: "swift-service-lifecycle", condition: .when(traits: ["Server"])),
                .product(name: "Logging", package: "swift-log", condition: .when(traits: ["Server"])),
                .product(name: "NIOCore", package: "swift-nio", condition: .when(traits: ["Server"])),
                .product(name: "NIOHTTP1", package: "swift-nio", condition: .when(traits: ["Server"])),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras", condition: .when(traits: ["Server"])),
                .product(name: "HTTPTypes", package: "swift-http-types", condition: .when(traits: ["Server"])),
            ],
            resources: [.embedInCode("Resources/index.html"), .embedInCode("Resources/openapi.json")]
        ),

        // MARK: Command line. The folder cannot be named `swiftinfer`: beside `SwiftInfer` the two would be one
        // folder, and one module file, on a file system that ignores case.
        .executableTarget(
            name: "SwiftInferCommand",
            dependencies: [
                "InferEvaluation", "SwiftInfer", "InferSupport", "InferCatalogue", "InferGGUF", "InferTokenizers",
                "InferTemplates", "InferTensors", "InferTransformer", "InferDecoding", "InferCodeSwift",
                .target(name: "InferVulkan", condition: .when(traits: ["Vulkan"])),
                .target(name: "SwiftInferServer", condition: .when(traits: ["Server"])),
                .product(name: "Logging", package: "swift-log", condition: .when(traits: ["Server"])),
                .product(
                    name: "ArgumentParser", package: "swift-argument-parser", condition: .when(traits: ["CommandLine"])),
            ]),

        // MARK: Tests
        // Used by test targets only.
        .target(
            name: "TestSupport", dependencies: ["InferGGUF", "InferSupport", "InferTensors", "InferTransformer"],
            path: "Tests/TestSupport"),
        .testTarget(name: "SupportTests", dependencies: ["InferSupport", "TestSupport"]),
        .testTarget(name: "CatalogueTests", dependencies: ["InferCatalogue", "InferSupport", "TestSupport"]),
        .testTarget(name: "GGUFTests", dependencies: ["InferGGUF", "InferSupport", "TestSupport"]),
        .testTarget(
            name: "TokenizersTests",
            dependencies: ["InferTokenizers", "InferTemplates", "InferGGUF", "InferSupport", "TestSupport"]),
        .testTarget(
            name: "TemplatesTests", dependencies: ["InferTemplates", "InferTokenizers", "InferSupport"],
            exclude: ["Fixtures"]),
        .testTarget(name: "TensorsTests", dependencies: ["InferTensors", "InferGGUF", "InferSupport", "TestSupport"]),
        .testTarget(
            name: "VulkanBackendTests",
            dependencies: [
                "InferVulkan", "SwiftInfer", "InferDecoding", "InferTransformer", "InferTensors", "InferGGUF",
                "InferSupport", "TestSupport",
            ]),
        .testTarget(
            name: "TransformerTests",
            dependencies: ["InferTransformer", "InferTensors", "InferGGUF", "InferSupport", "TestSupport"]),
        .testTarget(
            name: "GrammarTests", dependencies: ["InferGrammar", "InferSupport", "TestSupport"]),
        .testTarget(
            name: "DecodingTests",
            dependencies: ["InferDecoding", "InferTensors", "InferGGUF", "InferSupport", "TestSupport"]),
        .testTarget(
            name: "CodeSwiftTests",
            dependencies: [
                "InferCodeSwift", "InferGGUF", "InferTokenizers", "InferDecoding", "InferSupport", "TestSupport",
            ]),
        .testTarget(
            name: "SwiftInferTests",
            dependencies: [
                "SwiftInfer", "InferGGUF", "InferTokenizers", "InferDecoding", "InferCodeSwift", "InferSupport",
                "TestSupport",
            ]),
        .testTarget(
            name: "EvaluationTests",
            dependencies: [
                "InferEvaluation", "SwiftInfer", "InferCodeSwift", "InferGGUF", "InferTensors", "InferSupport",
                "TestSupport",
            ]),
        .testTarget(
            name: "ServerTests",
            dependencies: [
                "SwiftInferServer", "SwiftInfer", "InferTemplates", "InferTokenizers", "InferSupport", "TestSupport",
                .product(name: "Logging", package: "swift-log", condition: .when(traits: ["Server"])),
            ]),
        .testTarget(
            name: "CommandTests",
            dependencies: ["SwiftInferCommand", "InferCatalogue", "InferGGUF", "InferSupport", "TestSupport"]),
    ],
    swiftLanguageModes: [.v6],
    cLanguageStandard: .gnu17
)

// MARK: Settings of every Swift target
for target in package.targets where !["CInferKernels", "CInferVulkanKernels"].contains(target.name) {
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
