// What `--version` says.

/// The program's version and how it was built.
enum Version {
    /// Semantic version of the program.
    static let number = "0.1.0"

    /// Version, platform and optimisation, such as `swiftinfer 0.1.0 (Linux x86_64, release)`.
    static var description: String { "swiftinfer \(number) (\(platform) \(architecture), \(configuration))" }

    private static var platform: String {
        #if os(Linux)
            "Linux"
        #elseif os(macOS)
            "macOS"
        #else
            "unknown system"
        #endif
    }

    private static var architecture: String {
        #if arch(x86_64)
            "x86_64"
        #elseif arch(arm64)
            "arm64"
        #else
            "unknown processor"
        #endif
    }

    private static var configuration: String {
        #if DEBUG
            "debug"
        #else
            "release"
        #endif
    }
}
