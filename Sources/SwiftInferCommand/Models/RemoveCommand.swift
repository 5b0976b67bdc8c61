// `swiftinfer remove`: deletes fetched models.

import ArgumentParser
import Foundation
import InferCatalogue
import InferEvaluation
import InferSupport

struct RemoveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "Delete models that pull fetched.",
        discussion: """
            Only files in the folder of models are deleted; swiftinfer list shows them. A transfer that was interrupted is deleted by \
            the name of its file.
            """
    )

    @Argument(help: ArgumentHelp("The names of the models.", valueName: "model"), completion: .fetchedModel)
    var models: [String]

    @Flag(name: .shortAndLong, help: "Do not ask.")
    var yes = false

    func run() throws {
        for model in models {
            let paths = try paths(of: model)
            let bytes = paths.reduce(0) { $0 + (ModelFolder.size(of: $1) ?? 0) }
            guard try Question.isConfirmed("delete \(paths[0]), \(Format.bytes(bytes))?", yes: yes) else { continue }
            for path in paths where unlink(path) != 0 && errno != ENOENT {
                throw InferenceError(.unwritableFile, "cannot delete \(path): \(String(cString: strerror(errno)))")
            }
            ModelFolder.user.removeEmptyFolders(above: paths[0])
        }
    }

    /// The files of the model called `name`, with what is left of an interrupted transfer.
    private func paths(of name: String) throws(InferenceError) -> [String] {
        let catalogue = try Catalogue.embedded()
        var found = ModelFolder.user.files(named: name)
        if let entry = catalogue.entry(named: name) {
            found = entry.path().map { path in ModelFolder.user.files.filter { $0.path == path } } ?? []
        }
        if found.count > 1 {
            let names = found.map(\.uniqueName).joined(separator: ", ")
            throw InferenceError(.invalidArgument, "several models are called \(name): \(names)")
        }
        let partial = ModelFolder.user.partialFiles.filter {
            Catalogue.name(ofFile: $0) == Catalogue.name(ofFile: name) || found.first?.paths.contains($0) == true
        }
        let paths = (found.first?.paths ?? []) + partial.flatMap { [$0 + ".part", $0 + ".part.json"] }
        guard !paths.isEmpty else {
            throw InferenceError(
                .invalidArgument, "\(name) is no model in \(ModelFolder.user.path); swiftinfer list shows what is there"
            )
        }
        return paths
    }
}

/// A question before something is deleted.
enum Question {
    /// Whether the user agrees to `question`. With `yes` there is no question.
    ///
    /// - Throws: ``InferenceError`` with `invalidArgument` if there is no terminal to ask on.
    static func isConfirmed(_ question: String, yes: Bool) throws(InferenceError) -> Bool {
        if yes { return true }
        guard Terminal.isInputInteractive else {
            throw InferenceError(.invalidArgument, "\(question) Say so with --yes; there is no terminal to ask on")
        }
        Output.terminal("\(question) [y/N] ")
        let answer = readLine()?.trimmingCharacters(in: .whitespaces).lowercased() ?? ""
        return answer == "y" || answer == "yes"
    }
}
