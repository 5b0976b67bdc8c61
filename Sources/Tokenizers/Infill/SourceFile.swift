// A file that a prompt shows the model.

/// Another file of the repository, or part of one, given to the model as context.
public struct SourceFile: Hashable, Sendable {
    /// The name the model sees, relative to the repository's root.
    public var name: String
    /// The text.
    public var text: String

    /// A file.
    public init(name: String, text: String) {
        self.name = name
        self.text = text
    }
}
