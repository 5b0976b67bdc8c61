// Which drafter a session uses.

public import InferDecoding
public import InferSupport

/// A way to draft, by name.
public struct DrafterChoice: Sendable, CustomStringConvertible {
    /// The choice's name, as on the command line.
    public let description: String
    private let make: @Sendable (Model) throws(InferenceError) -> (any Drafter)?

    /// A choice called `name`. `make` is called for each session that uses it; the drafter it gives is used by that session alone.
    public init(_ name: String, make: @escaping @Sendable (Model) throws(InferenceError) -> (any Drafter)?) {
        description = name
        self.make = make
    }

    /// No drafting: one token per step.
    public static let none = DrafterChoice("none") { _ in nil }

    /// Every choice that needs nothing but the model, ``none`` first.
    public static let all: [DrafterChoice] = [
        .none, .promptLookup, .rest(documents: []), .suffixDecoding(.tree), .suffixDecoding(.chain), .tokenRecycling,
        .ngramMod, .codeSwift(),
    ]

    func makeDrafter(for model: Model) throws(InferenceError) -> (any Drafter)? { try make(model) }
}
