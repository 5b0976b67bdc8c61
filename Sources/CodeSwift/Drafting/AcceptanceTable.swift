// How often guesses of each sort were right.

/// Corrects the priors by experience: for every sort of guess, the number that was right over the number that should have
/// been. Sorts with little experience lean on wider ones.
struct AcceptanceTable: ~Copyable {
    struct Tally {
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

        /// The correction; `wider` has the weight of four predicted successes.
        func ratio(_ wider: Float) -> Float { (right + 4 * wider) / (predicted + 4) }
    }

    /// A sort of guesses, the narrowest: kind of source, order of a back-off, share, length and number of occurrences.
    struct Sort { fileprivate var cell: Int32 }

    /// The part of a sort that is the same for all that follow a match.
    struct MatchSort {
        fileprivate var level: Int32
        fileprivate var length: Int32
    }

    private static let levels = 4
    private static let shares = 8
    private static let lengths = 10
    private static let counts = 3
    /// Cells of a kind of source and level.
    private static let cellsPerLevel = shares * lengths * counts
    private static let cellsPerShare = lengths * counts

    /// By the kind of source; by kind, level and share; by all.
    private var byKind = FlatList(repeating: Tally(), count: SourceKind.allCases.count)
    private var byShare = FlatList(repeating: Tally(), count: SourceKind.allCases.count * levels * shares)
    private var byCell = FlatList(repeating: Tally(), count: SourceKind.allCases.count * levels * cellsPerLevel)

    /// The sort of what follows a match.
    static func sort(_ kind: SourceKind, length: Int, occurrences: Int, isBackOff: Bool) -> MatchSort {
        let level = kind.rawValue * levels + (isBackOff ? min(length, 3) : 0)
        // 1, 2, 3, 4, 5–6, 7–8, 9–12, 13–16, 17–24, more.
        let lengthClass =
            switch length {
            case ...4: max(length, 1) - 1
            case ...8: (length + 3) / 2
            case ...16: (length + 15) / 4
            case ...24: 8
            default: 9
            }
        let countClass = occurrences == 1 ? 0 : occurrences <= 5 ? 1 : 2
        return MatchSort(level: Int32(level), length: Int32(lengthClass * counts + countClass))
    }

    /// The sort of a guess that follows `count` of a match's `occurrences`.
    static func sort(_ match: MatchSort, count: Int, occurrences: Int) -> Sort {
        // Shares by halves: 1, above 1/2, 1/4, …
        let quotient = UInt(occurrences / max(count, 1))
        let share = count * 100 >= occurrences * 99 ? 0 : min(7, UInt.bitWidth - quotient.leadingZeroBitCount)
        return Sort(cell: match.level * Int32(cellsPerLevel) + Int32(share * cellsPerShare) + match.length)
    }

    /// The prior `probability` of a guess, corrected.
    func correct(_ probability: Float, _ sort: Sort) -> Float {
        let cell = Int(sort.cell)
        let kind = byKind[cell / (Self.levels * Self.cellsPerLevel)].ratio(1)
        let ratio = byCell[cell].ratio(byShare[cell / Self.cellsPerShare].ratio(kind))
        return min(max(probability * ratio, 0.0001), 0.985)
    }

    /// Learns whether a guess of prior `probability` was right.
    mutating func add(_ isRight: Bool, _ probability: Float, _ sort: Sort) {
        let cell = Int(sort.cell)
        byKind[cell / (Self.levels * Self.cellsPerLevel)].add(isRight, probability)
        byShare[cell / Self.cellsPerShare].add(isRight, probability)
        byCell[cell].add(isRight, probability)
    }

    // MARK: As plain numbers

    /// Right and predicted of every tally, from wide to narrow.
    var tallies: [Float] {
        var tallies: [Float] = []
        func append(_ list: borrowing FlatList<Tally>) {
            for index in 0..<list.count {
                tallies.append(list[index].right)
                tallies.append(list[index].predicted)
            }
        }
        append(byKind)
        append(byShare)
        append(byCell)
        return tallies
    }

    /// Whether `tallies` can be those of a table.
    static func areTallies(_ tallies: [Float]) -> Bool {
        tallies.isEmpty || (tallies.count == tallyCount && tallies.allSatisfy { (0...1000).contains($0) })
    }

    /// Numbers in ``tallies``.
    static var tallyCount: Int {
        let cells = SourceKind.allCases.count * levels * cellsPerLevel
        return 2 * (SourceKind.allCases.count * (1 + levels * shares) + cells)
    }

    /// Adds what another table learned, which must be ``areTallies(_:)``.
    mutating func add(_ tallies: [Float]) {
        guard !tallies.isEmpty else { return }
        var next = 0
        func add(to list: inout FlatList<Tally>) {
            for index in 0..<list.count {
                list[index].right += tallies[next]
                list[index].predicted += tallies[next + 1]
                next += 2
            }
        }
        add(to: &byKind)
        add(to: &byShare)
        add(to: &byCell)
    }
}
