// Drafters by name on the command line.

public import ArgumentParser
public import SwiftInfer

extension DrafterChoice: ExpressibleByArgument {
    /// The choice called `argument`; nil when there is none.
    public init?(argument: String) {
        guard let choice = Self.all.first(where: { $0.description == argument }) else { return nil }
        self = choice
    }

    /// Every choice's name.
    public static var allValueStrings: [String] { all.map(\.description) }

    /// The choice's name.
    public var defaultValueDescription: String { description }
}
