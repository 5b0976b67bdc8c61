// The options for drafting: the drafter and the sources of CodeSwift.

public import ArgumentParser
public import SwiftInfer

/// The code that `codeswift` drafts from.
struct CodeSwiftArguments: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The working tree that codeswift drafts from (default: the git repository around the working directory).",
            valueName: "dir"), completion: .directory)
    var repository: String?

    @Flag(help: "Draft from no working tree.")
    var noRepository = false

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp(
            "A datastore that codeswift drafts from, made by datastore build; may be given several times.",
            valueName: "file"), completion: .datastore)
    var datastore: [String] = []

    @Flag(help: "Neither use nor keep what codeswift learns between runs.")
    var noDraftCache = false

    func validate() throws {
        if repository != nil, noRepository {
            throw ValidationError("--repository and --no-repository contradict each other.")
        }
    }

    /// Whether a repository or datastore was given.
    var namesSources: Bool { repository != nil || !datastore.isEmpty }

    /// `drafter`, with these sources if it is `codeswift`.
    ///
    /// - Parameter remembers: Whether it may use the cache of earlier runs.
    func applied(to drafter: DrafterChoice, remembers: Bool = true) -> DrafterChoice {
        guard drafter.description == DrafterChoice.codeSwift().description else { return drafter }
        let source: CodeSwiftOptions.Repository =
            noRepository ? .off : repository.map { .folder($0) } ?? .aroundWorkingDirectory
        let cache: CodeSwiftOptions.Cache = remembers && !noDraftCache ? .userFolder : .off
        if cache == .userFolder { StoredData.drafts.announce() }
        return .codeSwift(CodeSwiftOptions(repository: source, datastores: datastore, cache: cache)) {
            Output.standardError("warning: \($0)\n")
        }
    }
}

/// The drafter of a session.
struct DrafterOptions: ParsableArguments {
    @Option(help: "The drafter. It changes the speed, never the text.")
    var drafter = DrafterChoice.codeSwift()

    @OptionGroup var sources: CodeSwiftArguments

    func validate() throws {
        if sources.namesSources, drafter.description != DrafterChoice.codeSwift().description {
            throw ValidationError("--repository and --datastore go with --drafter codeswift.")
        }
    }

    /// The drafter, with its sources.
    var choice: DrafterChoice { sources.applied(to: drafter) }
}

/// A comma-separated list of drafters' names.
struct DrafterList: ExpressibleByArgument {
    let drafters: [DrafterChoice]

    /// The list `drafters`.
    init(_ drafters: [DrafterChoice]) { self.drafters = drafters }

    /// Parses known names, separated by commas or blanks; nil for another name.
    init?(argument: String) {
        let parts = argument.split { $0 == "," || $0 == " " }
        drafters = parts.compactMap { DrafterChoice(argument: String($0)) }
        guard drafters.count == parts.count else { return nil }
    }

    var defaultValueDescription: String { drafters.map(\.description).joined(separator: ", ") }
}

extension DrafterChoice: ExpressibleByArgument {
    /// The drafter with the name `argument`; nil if there is none.
    public init?(argument: String) {
        guard let choice = Self.all.first(where: { $0.description == argument }) else { return nil }
        self = choice
    }

    /// The names of all drafters.
    public static var allValueStrings: [String] { all.map(\.description) }

    /// The names of all drafters.
    public static var defaultCompletionKind: CompletionKind { .list(allValueStrings) }

    /// The name of the drafter.
    public var defaultValueDescription: String { description }
}
