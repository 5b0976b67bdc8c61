// How often guesses of each sort were right.

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Corrects the priors by experience: for every sort of guess, the number that was right over the number that should have
/// been. Sorts with little experience lean on wider ones.
struct AcceptanceTable {
    private struct Tally {
        var right: Float = 0
        var predicted: Float = 0

        mutating func add(_ isRight: Bool, _ probability: Float) {
            right += isRight ? 1 : 0
            predicted += probability
            // Old experience fades, so that another text can teach otherwise.
            if predicted > 400 {
                right /= 2
                predicted /= 2
            }
        }

        func ratio(_ wider: Float) -> Float { (right + 8 * wider) / (predicted + 8) }
    }

    /// A sort of guesses, from wide to narrow.
    struct Sort {
        fileprivate var kind: Int
        fileprivate var level: Int
        fileprivate var cell: Int

        init(_ features: AcceptancePriors.Features) {
            kind = features.kind.rawValue
            let level = features.isBackOff ? min(features.length, 3) : 0
            // Shares by halves: 1, above 1/2, 1/4, …
            let share = features.share >= 0.99 ? 0 : min(7, 1 + Int(-log2(max(features.share, 0.001))))
            self.level = (kind * 4 + level) * 8 + share
            let length = AcceptanceTable.lengthClasses[min(features.length, AcceptanceTable.lengthClasses.count - 1)]
            let count = features.occurrences == 1 ? 0 : features.occurrences <= 5 ? 1 : 2
            cell = (self.level * 10 + length) * 3 + count
        }
    }

    /// 1, 2, 3, 4, 5–6, 7–8, 9–12, 13–16, 17–24, more.
    fileprivate static let lengthClasses: [Int] = (0...25).map { length in
        [1, 2, 3, 4, 6, 8, 12, 16, 24].firstIndex { length <= $0 } ?? 9
    }

    private var byKind = [Tally](repeating: Tally(), count: SourceKind.allCases.count)
    private var byLevel = [Tally](repeating: Tally(), count: SourceKind.allCases.count * 4 * 8)
    private var byCell = [Tally](repeating: Tally(), count: SourceKind.allCases.count * 4 * 8 * 10 * 3)

    /// The prior `probability` of a guess, corrected.
    func correct(_ probability: Float, _ sort: Sort) -> Float {
        let kind = byKind[sort.kind].ratio(1)
        let cell = byCell[sort.cell].ratio(byLevel[sort.level].ratio(kind))
        return min(max(probability * cell, 0.0001), 0.985)
    }

    /// Learns whether a guess of prior `probability` was right.
    mutating func add(_ isRight: Bool, _ probability: Float, _ sort: Sort) {
        byKind[sort.kind].add(isRight, probability)
        byLevel[sort.level].add(isRight, probability)
        byCell[sort.cell].add(isRight, probability)
    }
}
