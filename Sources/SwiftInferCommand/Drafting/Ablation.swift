// Parts that CodeSwift can be measured without.

import ArgumentParser
import InferCodeSwift

/// A comma-separated list of parts of the CodeSwift drafter.
struct Ablation: ExpressibleByArgument {
    /// A part.
    enum Part: String, CaseIterable {
        case context, cursor, history, preferences, repository, stores, calibration, timing
    }

    let parts: Set<Part>

    /// The list `parts`.
    init(_ parts: Set<Part>) { self.parts = parts }

    /// Accepts known names; nil when one is something else.
    init?(argument: String) {
        let names = argument.split(separator: ",")
        let known = names.compactMap { Part(rawValue: String($0)) }
        guard known.count == names.count else { return nil }
        parts = Set(known)
    }

    static var allValueStrings: [String] { Part.allCases.map(\.rawValue) }

    var defaultValueDescription: String {
        parts.isEmpty ? "nothing" : parts.map(\.rawValue).sorted().joined(separator: ",")
    }

    /// Whether drafters are asked only when that pays.
    var keepsTiming: Bool { !parts.contains(.timing) }

    /// What remains.
    var options: CodeSwiftDrafter.Options {
        var options = CodeSwiftDrafter.Options()
        options.usesContext = !parts.contains(.context)
        options.usesCursor = !parts.contains(.cursor)
        options.usesHistory = !parts.contains(.history)
        options.usesPreferences = !parts.contains(.preferences)
        options.usesRepository = !parts.contains(.repository)
        options.usesCommonStores = !parts.contains(.stores)
        options.calibrates = !parts.contains(.calibration)
        return options
    }
}
