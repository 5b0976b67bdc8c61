// Loading without waiting on the caller's thread, by URL or by name.

import InferCatalogue
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

    /// Loads a model by its name, in the way of ``load(from:options:progress:)``: what `swiftinfer pull` has fetched, by the name that it
    /// was fetched by or that `swiftinfer list` shows. The library itself downloads nothing.
    ///
    /// - Parameters:
    ///   - name: A name of the catalogue such as `qwen2.5-coder-1.5b`, the name of a file without `.gguf`, or a repository and a
    ///     quantisation: `OWNER/NAME:Q4_K_M`. Files are in `SWIFTINFER_MODELS`, or in `swiftinfer/models` in the user's cache folder
    ///     (`XDG_CACHE_HOME`, or `~/.cache`).
    ///   - options: The device and the number of threads.
    ///   - progress: Called on a thread of its own, with the share of the work done, from 0 to 1.
    /// - Throws: ``InferenceError``: `unreadableFile` if there is no such file, or several; those of
    ///   ``load(from:options:progress:)``.
    public static func load(
        named name: String, options: Options = .init(), progress: (@Sendable (Double) -> Void)? = nil
    ) async throws(InferenceError) -> Model {
        try await Loader().load(try Catalogue.path(named: name), options, progress)
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
