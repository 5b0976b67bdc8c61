// `swiftinfer cache`: shows and deletes what the program keeps on disk.

import ArgumentParser
import InferCatalogue
import InferEvaluation
import InferSupport

struct CacheCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cache",
        abstract: "Show or delete what this program keeps on disk.",
        discussion: """
            Kept are what the drafter codeswift learned in repositories, the histories of conversations, and compiled programs for \
            Vulkan devices. Models and saved conversations are not among them: swiftinfer remove deletes models.
            """,
        subcommands: [CacheShowCommand.self, CacheClearCommand.self]
    )
}

struct CacheShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Print what is kept, where, and how large it is.")

    @Flag(help: "Print one JSON object with kept and models.")
    var json = false

    private struct Kind: Encodable {
        let kind: String
        /// Nil if the user has no such folder.
        let folder: String?
        let files: Int
        let bytes: Int
    }

    private struct Report: Encodable {
        let kept: [Kind]
        let models: Kind
    }

    func run() throws {
        let kept = StoredData.allCases.map { kind in
            let files = kind.files()
            return Kind(
                kind: kind.rawValue, folder: try? kind.folder(), files: files.count,
                bytes: files.reduce(0) { $0 + $1.bytes })
        }
        let models = ModelFolder.user.files.flatMap(\.paths)
        let report = Report(
            kept: kept,
            models: Kind(
                kind: "models", folder: ModelFolder.user.path, files: models.count,
                bytes: models.reduce(0) { $0 + (ModelFolder.size(of: $1) ?? 0) }))
        if json { return try Output.json(report) }
        for (kind, row) in zip(StoredData.allCases, kept) {
            Output.standardOutput("\(kind.title): \(size(row))\n")
            Output.standardOutput("  \(row.folder ?? "there is no folder for it"); \(kind.remedy) turns it off\n")
        }
        Output.standardOutput(
            "models: \(size(report.models))\n  \(ModelFolder.user.path); swiftinfer list and remove\n")
    }

    private func size(_ kind: Kind) -> String {
        kind.files == 0 ? "nothing" : "\(Format.bytes(kind.bytes)) in \(kind.files) file\(kind.files == 1 ? "" : "s")"
    }
}

struct CacheClearCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clear", abstract: "Delete what is kept.",
        discussion: "Without kinds, all of them are deleted. Models stay.")

    @Argument(
        help: ArgumentHelp("What to delete: \(kinds).", valueName: "kind"),
        completion: .list(StoredData.allCases.map(\.rawValue)))
    var kind: [String] = []

    @Flag(name: .shortAndLong, help: "Do not ask.")
    var yes = false

    private static var kinds: String { StoredData.allCases.map(\.rawValue).joined(separator: ", ") }

    func validate() throws {
        for name in kind where StoredData(rawValue: name) == nil {
            throw ValidationError("Nothing kept is called \(name); there are \(Self.kinds).")
        }
    }

    func run() throws {
        let kinds = kind.isEmpty ? StoredData.allCases : kind.compactMap(StoredData.init)
        let files = kinds.flatMap { $0.files() }
        guard !files.isEmpty else { return Output.standardError("nothing is kept\n") }
        let bytes = Format.bytes(files.reduce(0) { $0 + $1.bytes })
        let names = kinds.filter { !$0.files().isEmpty }.map(\.rawValue).joined(separator: ", ")
        guard try Question.isConfirmed("delete \(files.count) files, \(bytes) (\(names))?", yes: yes) else { return }
        for (path, _) in files where unlink(path) != 0 && errno != ENOENT {
            throw InferenceError(.unwritableFile, "cannot delete \(path): \(String(cString: strerror(errno)))")
        }
        Output.standardError("deleted \(files.count) files, \(bytes)\n")
    }
}
