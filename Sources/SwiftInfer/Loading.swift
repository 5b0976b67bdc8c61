// Loading without waiting on the caller's thread, by URL or by name.

public import InferSupport

#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

extension Model {
    /// Loads the model of a file, in the way of ``init(contentsOf:options:progress:)``, on a thread of its own. A task that is cancelled
    /// stops between tensors, and what was loaded is freed.
    ///
    /// - Parameters:
    ///   - url: A file: a GGUF file, or the first of a split model's files.
    ///   - options: The device and the number of threads.
    ///   - progress: Called on that thread, with the share of the work done, from 0 to 1.
    /// - Throws: ``InferenceError``: `cancelled`; `invalidArgument` for a URL that is not of a file; those of
    ///   ``init(contentsOf:options:progress:)``.
    public static func load(
        from url: URL, options: Options = .init(), progress: (@Sendable (Double) -> Void)? = nil
    ) async throws(InferenceError) -> Model {
        guard url.isFileURL else {
            throw InferenceError(
                .invalidArgument,
                "\(url.absoluteString.printable) is not the URL of a file; the library downloads nothing")
        }
        return try await Loader().load(url.path(percentEncoded: false), options, progress)
    }

    /// Loads a model by its name, in the way of ``load(from:options:progress:)``: its file in the folder of models, where `swiftinfer pull`
    /// puts it. The folder is `SWIFTINFER_MODELS`, or `swiftinfer/models` in the user's cache folder (`XDG_CACHE_HOME`, or `~/.cache`).
    ///
    /// - Parameters:
    ///   - name: The name of a file without `.gguf`, or the first words of the only file that begins so: `smollm2-135m-instruct` finds
    ///     `SmolLM2-135M-Instruct.Q4_1.gguf`. Capital letters do not matter.
    ///   - options: The device and the number of threads.
    ///   - progress: Called on a thread of its own, with the share of the work done, from 0 to 1.
    /// - Throws: ``InferenceError``: `unreadableFile` if there is no such file; `invalidArgument` if there are several, or for a path
    ///   instead of a name; those of ``load(from:options:progress:)``.
    public static func load(
        named name: String, options: Options = .init(), progress: (@Sendable (Double) -> Void)? = nil
    ) async throws(InferenceError) -> Model {
        try await Loader().load(try path(named: name, in: try folder), options, progress)
    }

    /// The folder of models.
    private static var folder: String {
        get throws(InferenceError) {
            if let given = getenv("SWIFTINFER_MODELS").map({ String(cString: $0) }), !given.isEmpty { return given }
            return try UserFolder.cache.path(for: "models")
        }
    }

    /// The path of a model's file in a folder of models.
    package static func path(named name: String, in folder: String) throws(InferenceError) -> String {
        guard !name.isEmpty, !name.contains("/") else {
            throw InferenceError(
                .invalidArgument,
                "\(name.printable) is not the name of a model; Model.load(from:) takes the URL of a file")
        }
        let files = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).filter(isFirstFile).sorted()
        let wanted = name.lowercased()
        let exact = files.filter { $0.lowercased() == wanted + ".gguf" }
        let matches =
            exact.isEmpty
            ? files.filter { file in
                let rest = file.lowercased().dropFirst(wanted.count)
                return file.lowercased().hasPrefix(wanted) && rest.first.map { ".-_".contains($0) } ?? false
            } : exact
        guard let file = matches.first else {
            throw InferenceError(
                .unreadableFile,
                "there is no model \(name.printable) in \(folder); swiftinfer pull \(name.printable) fetches it")
        }
        guard matches.count == 1 else {
            throw InferenceError(
                .invalidArgument,
                "\(name.printable) is the beginning of several models in \(folder): \(matches.joined(separator: ", "))")
        }
        return folder + "/" + file
    }

    /// Whether a file is a model, or the first of a split model's files.
    private static func isFirstFile(_ name: String) -> Bool {
        guard name.hasSuffix(".gguf") else { return false }
        let parts = name.dropLast(5).split(separator: "-").suffix(3)
        let isPart =
            parts.count == 3 && parts.dropFirst().first == "of" && parts.allSatisfy { $0 == "of" || Int($0) != nil }
        return !isPart || parts.first.flatMap { Int($0) } == 1
    }
}

/// Loads models on threads of its own.
private actor Loader {
    private let executor = InferenceExecutor()

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    func load(
        _ path: String, _ options: Model.Options, _ progress: (@Sendable (Double) -> Void)?
    ) throws(InferenceError) -> Model {
        try Model(contentsOf: path, options: options, progress: progress)
    }
}
