// Which files belong in a store, by name and by contents.

/// Recognises by its name a file that should not be in a store: binary, generated, data, or secret.
package struct NameFilter {
    private let options: IngestionOptions

    package init(_ options: IngestionOptions) { self.options = options }

    /// Why a file with this name is skipped; nil if the name is no reason.
    package func reason(_ name: [UInt8]) -> SkipReason? {
        let name = String(decoding: name, as: UTF8.self).lowercased()
        // The part after the last dot. A name that only begins with a dot has no extension.
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
    /// Recognised by name, so that large archives are not opened. Other binary files are recognised by their bytes.
    private static let binaryExtensions: Set<String> = [
        "png", "jpg", "jpeg", "gif", "webp", "ico", "bmp", "pdf", "zip", "gz", "xz", "zst", "bz2", "7z", "tar", "jar",
        "class", "o", "a", "so", "dylib", "dll", "exe", "wasm", "pyc", "gguf", "bin", "safetensors", "onnx", "pt",
        "npy", "npz", "parquet", "sqlite", "db", "ttf", "otf", "woff", "woff2", "mp3", "mp4", "mov", "wav", "ogg",
    ]
}

/// Recognises by its contents a file that should not be in a store.
package struct ContentFilter {
    private let options: IngestionOptions

    package init(_ options: IngestionOptions) { self.options = options }

    /// Why a file with these contents is skipped; nil if it is source text.
    package func reason(_ contents: [UInt8]) -> SkipReason? {
        if contents.isEmpty { return .empty }
        if Self.isBinary(contents) { return .binary }
        if options.skipsGenerated, Self.isGenerated(contents) { return .generated }
        return options.skipsSecrets && Self.holdsSecret(contents) ? .secret : nil
    }

    /// A zero byte in the first 8000 bytes is git's criterion. Text that is not UTF-8 gives poor tokens.
    private static func isBinary(_ contents: [UInt8]) -> Bool {
        contents.prefix(8000).contains(0) || String(validating: contents, as: UTF8.self) == nil
    }

    private static func isGenerated(_ contents: [UInt8]) -> Bool {
        if markers.contains(where: { contains(contents.prefix(2048), $0) }) { return true }
        // Very few line breaks: minified code or data.
        let lines = contents.count { $0 == UInt8(ascii: "\n") } + 1
        return contents.count > 4096 && contents.count / lines > 300
    }

    private static let markers = ["@generated", "DO NOT EDIT", "do not edit by hand", "utogenerated"].map {
        Array($0.utf8)
    }

    /// The prefixes of access tokens of large services, and the minimum number of letters, digits, hyphens or
    /// underscores after them.
    private static let tokenPrefixes: [(prefix: [UInt8], rest: Int)] = [
        ("AKIA", 16), ("ghp_", 36), ("gho_", 36), ("ghs_", 36), ("github_pat_", 60), ("glpat-", 20), ("xoxb-", 20),
        ("xoxp-", 20), ("sk_live_", 24), ("AIza", 35), ("npm_", 36), ("hf_", 34),
    ].map { (Array($0.utf8), $1) }
    private static let keyBegin = Array("-----BEGIN".utf8)
    private static let keyTitle = Array("PRIVATE KEY".utf8)

    /// Checks every run of letters, digits, hyphens and underscores for an access token or the first line of a private
    /// key in PEM format.
    private static func holdsSecret(_ contents: [UInt8]) -> Bool {
        var start = 0
        for (index, byte) in contents.enumerated() where !isTokenByte[Int(byte)] {
            if index - start >= keyBegin.count, isSecret(contents, start..<index) { return true }
            start = index + 1
        }
        return contents.count - start >= keyBegin.count && isSecret(contents, start..<contents.count)
    }

    private static func isSecret(_ contents: [UInt8], _ run: Range<Int>) -> Bool {
        let text = contents[run]
        if text.elementsEqual(keyBegin), contains(contents[run.upperBound...].prefix(30), keyTitle) { return true }
        return tokenPrefixes.contains { text.count >= $0.prefix.count + $0.rest && text.starts(with: $0.prefix) }
    }

    private static let isTokenByte = (0..<256).map { byte in
        let scalar = Unicode.Scalar(UInt8(byte))
        return scalar.isASCII && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar))
            || scalar == "_" || scalar == "-"
    }

    /// Whether `text` occurs in `bytes`. Meant for short inputs.
    private static func contains(_ bytes: ArraySlice<UInt8>, _ text: [UInt8]) -> Bool {
        guard let first = text.first else { return true }
        return bytes.indices.contains { bytes[$0] == first && bytes[$0...].starts(with: text) }
    }
}
