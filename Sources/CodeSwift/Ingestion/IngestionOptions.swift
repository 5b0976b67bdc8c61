// Which files go into a store.

/// What ingestion takes and leaves. The defaults suit a working tree.
public struct IngestionOptions: Sendable {
    /// The largest file taken, in bytes.
    public var maximumFileSize = 1 << 20
    /// Extensions taken, without the dot and in lower case; nil for any.
    public var extensions: Set<String>?
    /// Whether files that git ignores are left out.
    public var respectsGitIgnore = true
    /// Whether generated, minified and data files are left out.
    public var skipsGenerated = true
    /// Whether files that look like they hold secrets are left out.
    public var skipsSecrets = true
    /// Whether a file equal to one before it is left out.
    public var skipsDuplicates = true

    /// The defaults.
    public init() {}
}
