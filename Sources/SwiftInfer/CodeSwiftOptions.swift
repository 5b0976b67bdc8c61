// What the CodeSwift drafter draws on besides the session's own texts.

/// Code that ``DrafterChoice/codeSwift(_:)`` guesses from. The text itself and what the session wrote before always take part.
public struct CodeSwiftOptions: Sendable, Hashable {
    /// Which working tree takes part.
    public enum Repository: Sendable, Hashable {
        /// The one around the working directory: the nearest folder, from there upwards, with a `.git` in it. Where there is
        /// none, none takes part.
        case aroundWorkingDirectory
        /// The folder at a path, whether git knows it or not.
        case folder(String)
        /// None.
        case off
    }

    /// The working tree. Its files are read, as far as git would track them, and nothing is written. Indexing takes place in the
    /// background: no token waits for it, and changes are found between generations.
    public var repository: Repository
    /// Paths of datastores, as `swiftinfer datastore build` makes them, for the model's tokenizer.
    public var datastores: [String]

    /// That repository and those datastores.
    public init(repository: Repository = .aroundWorkingDirectory, datastores: [String] = []) {
        self.repository = repository
        self.datastores = datastores
    }
}
