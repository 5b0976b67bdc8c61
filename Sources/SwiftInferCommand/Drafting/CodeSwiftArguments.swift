// Options that say what the CodeSwift drafter draws on.

import ArgumentParser
import SwiftInfer

/// The code that `codeswift` guesses from.
struct CodeSwiftArguments: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The working tree that codeswift guesses from (default: the git repository around the working directory).",
            valueName: "dir"))
    var repository: String?

    @Flag(help: "Guess from no working tree.")
    var noRepository = false

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp(
            "A datastore that codeswift guesses from, as datastore build makes it; may be given several times.",
            valueName: "file"))
    var datastore: [String] = []

    @Flag(help: "Neither use nor keep what codeswift learned in other runs.")
    var noDraftCache = false

    func validate() throws {
        if repository != nil, noRepository {
            throw ValidationError("--repository and --no-repository contradict each other.")
        }
    }

    /// Whether anything was said about a repository or datastore to use.
    var namesSources: Bool { repository != nil || !datastore.isEmpty }

    /// `drafter`, which draws on these sources if it is `codeswift`.
    ///
    /// - Parameter remembers: Whether it may use what other runs learned.
    func applied(to drafter: DrafterChoice, remembers: Bool = true) -> DrafterChoice {
        guard drafter.description == DrafterChoice.codeSwift().description else { return drafter }
        let source: CodeSwiftOptions.Repository =
            noRepository ? .off : repository.map { .folder($0) } ?? .aroundWorkingDirectory
        let cache: CodeSwiftOptions.Cache = remembers && !noDraftCache ? .userFolder : .off
        return .codeSwift(CodeSwiftOptions(repository: source, datastores: datastore, cache: cache)) {
            Output.standardError("warning: \($0)\n")
        }
    }
}
