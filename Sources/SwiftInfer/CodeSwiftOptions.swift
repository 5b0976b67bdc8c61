// What the CodeSwift drafter draws on besides the session's own texts.

/// Code that ``DrafterChoice/codeSwift(_:warn:)`` drafts from, and what it keeps. The text itself and the session's earlier answers
/// always take part.
public struct CodeSwiftOptions: Sendable, Hashable {
    /// Which working tree takes part.
    public enum Repository: Sendable, Hashable {
        /// The one around the working directory: the nearest folder, from there upwards, with a `.git` in it. Where there is
        /// none, or it cannot be read, none takes part.
        case aroundWorkingDirectory
        /// The folder at a path, whether git knows it or not.
        case folder(String)
        /// None.
        case off
    }

    /// Where the drafter keeps what it learned: answers, the model's top tokens, and how often drafts were accepted. There is one file
    /// for each working tree and tokenizer, of a few megabytes at most, which only the user can read.
    public enum Cache: Sendable, Hashable {
        /// In `swiftinfer/drafts` in the user's cache folder: `XDG_CACHE_HOME`, or `~/.cache`.
        case userFolder
        /// In the folder at a path.
        case folder(String)
        /// Nowhere: nothing is read or written.
        case off
    }

    /// The working tree. Its files are read, as far as git would track them, and nothing is written. Indexing takes place in the
    /// background: no token waits for it, and changes are found between generations.
    public var repository: Repository
    /// Paths of datastores, as `swiftinfer datastore build` makes them, for the model's tokenizer.
    public var datastores: [String]
    /// What is remembered. Reading and writing take place in the background, but for what is left to write when a session goes.
    public var cache: Cache

    /// That repository, those datastores, that cache.
    public init(
        repository: Repository = .aroundWorkingDirectory, datastores: [String] = [], cache: Cache = .userFolder
    ) {
        self.repository = repository
        self.datastores = datastores
        self.cache = cache
    }
}
