// Which files are worth having in a store, by name.

/// Tells source text from what only takes up room, and from what must not be kept, without opening it.
package struct NameFilter {
    private let options: IngestionOptions

    package init(_ options: IngestionOptions) { self.options = options }

    /// Why a file of this name is passed over; nil when the name says nothing against it.
    package func reason(_ name: [UInt8]) -> SkipReason? {
        let name = String(decoding: name, as: UTF8.self).lowercased()
        // What follows the last dot; a name that only begins with one has none.
        let dot = name.lastIndex(of: ".")
        let `extension` = dot.map { $0 == name.startIndex ? "" : String(name[name.index(after: $0)...]) } ?? ""
        if options.skipsSecrets, Self.isSecret(name, `extension`) { return .secret }
        if let extensions = options.extensions, !extensions.contains(`extension`) { return .extension }
        if Self.binaryExtensions.contains(`extension`) { return .binary }
        return options.skipsGenerated && Self.isGenerated(name, `extension`) ? .generated : nil
    }

    private static func isSecret(_ name: String, _ extension: String) -> Bool {
        secretExtensions.contains(`extension`) || secretNames.contains(name)
            || name.hasPrefix(".env.") && !name.hasSuffix(".example") && !name.hasSuffix(".sample")
    }

    private static func isGenerated(_ name: String, _ extension: String) -> Bool {
        dataExtensions.contains(`extension`) || generatedNames.contains(name)
            || generatedEndings.contains { name.hasSuffix($0) }
    }

    private static let secretExtensions: Set<String> = [
        "pem", "key", "p12", "pfx", "jks", "keystore", "kdbx", "asc", "gpg", "ppk", "mobileprovision",
    ]
    private static let secretNames: Set<String> = [
        ".env", ".netrc", ".npmrc", ".pypirc", ".pgpass", ".htpasswd", ".git-credentials", "id_rsa", "id_dsa",
        "id_ecdsa", "id_ed25519", "credentials", "credentials.json", "secrets.json", "secrets.yml", "secrets.yaml",
        "secrets.toml",
    ]
    private static let dataExtensions: Set<String> = [
        "csv", "tsv", "lock", "map", "svg", "sum", "log", "ipynb", "po", "pot", "snap", "geojson", "jsonl", "ndjson",
        "patch", "diff", "tfstate",
    ]
    private static let generatedNames: Set<String> = [
        "package-lock.json", "pnpm-lock.yaml", "package.resolved", "npm-shrinkwrap.json",
    ]
    private static let generatedEndings = [
        ".min.js", ".min.css", ".bundle.js", ".pb.go", ".pb.swift", ".pb.cc", ".pb.h", "_pb2.py", "_pb2_grpc.py",
        ".g.dart", ".generated.swift", ".generated.cs", ".designer.cs", ".freezed.dart",
    ]
    /// Read by name, so that large archives need not be opened; others are recognised by their bytes.
    private static let binaryExtensions: Set<String> = [
        "png", "jpg", "jpeg", "gif", "webp", "ico", "bmp", "pdf", "zip", "gz", "xz", "zst", "bz2", "7z", "tar", "jar",
        "class", "o", "a", "so", "dylib", "dll", "exe", "wasm", "pyc", "gguf", "bin", "safetensors", "onnx", "pt",
        "npy", "npz", "parquet", "sqlite", "db", "ttf", "otf", "woff", "woff2", "mp3", "mp4", "mov", "wav", "ogg",
    ]
}
