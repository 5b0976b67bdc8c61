// How likely a prediction is to be accepted: a fitted prior, corrected by observed outcomes.

import InferSupport

/// A logistic formula per kind of source, fitted by replaying the reference answers of HumanEval, MBPP-Swift and two
/// repositories, edits left out: z = b0 + b1 ln M + b2 logit(share) + b3 ln N [longest] + b4 ln M logit(share)
/// + b5 [step start] + b6…b9 [back-off of order ≥ 4, 3, 2, 1], with M matched tokens, N occurrences, and the share of them
/// that goes on as guessed, clipped to 0.01…0.97.
///
/// Logarithms and the logistic function come from tables: they are wanted a few hundred times a step.
struct AcceptancePriors: ~Copyable {
    /// b0 … b9 of repositories, common datastores, the context and the history, one after the other.
    private static let coefficients: [Float] = [
        -2.223, 0.229, 0.519, 0.189, 0.129, -0.032, -0.187, -0.128, -0.201, -0.426,
        -3.039, 0.326, 0.565, 0.284, 0.041, -0.008, 0.715, 0.779, 0.55, 0.19,
        -2.418, 0.284, 0.481, 0.294, 0.163, -0.013, 0.489, 0.338, 0.289, -0.117,
        -2.843, 0.447, 0.599, 0.446, 0.084, -0.039, 0.374, 0.54, 0.357, 0.559,
    ]
    private static let perKind = 10

    /// Where a kind's coefficients begin; nil for a kind without a formula.
    private static func start(of kind: SourceKind) -> Int? {
        switch kind {
        case .repository: 0
        case .common: perKind
        // The cursor is a match in the context.
        case .context, .cursor: 2 * perKind
        case .history: 3 * perKind
        case .preference: nil
        }
    }

    /// z as a function of logit(share) for one match.
    struct Line {
        fileprivate var offset: Float
        fileprivate var slope: Float
    }

    private var coefficients = FlatList<Float>(capacity: 64)
    /// ln n.
    private var logarithms = FlatList<Float>(capacity: 1024)
    /// 1 / (1 + e⁻ᶻ) for z = −12 … 12.
    private var logistic = FlatList<Float>(capacity: 1024)

    private static let logarithmCount = 1024
    private static let reach: Float = 12
    private static let perUnit: Float = 32

    init() {
        for value in Self.coefficients { coefficients.append(value) }
        for number in 0..<Self.logarithmCount { logarithms.append(log(Float(max(number, 1)))) }
        for number in 0...Int(2 * Self.reach * Self.perUnit) {
            logistic.append(1 / (1 + exp(Self.reach - Float(number) / Self.perUnit)))
        }
    }

    /// The formula for guesses that follow a match; nil for preferences, which come with probabilities of their own.
    ///
    /// - Parameters:
    ///   - length: Tokens that match, guesses included.
    ///   - isBackOff: Whether a longer match of the same source offers other guesses.
    ///   - startsStep: Whether the guesses follow the text itself.
    func line(_ kind: SourceKind, length: Int, occurrences: Int, isBackOff: Bool, startsStep: Bool) -> Line? {
        guard let first = Self.start(of: kind) else { return nil }
        let lnLength = logarithm(length)
        var offset = coefficients[first] + coefficients[first + 1] * lnLength
        if startsStep { offset += coefficients[first + 5] }
        if isBackOff {
            offset += coefficients[first + 10 - min(max(length, 1), 4)]
        } else {
            offset += coefficients[first + 3] * logarithm(occurrences)
        }
        return Line(offset: offset, slope: coefficients[first + 2] + coefficients[first + 4] * lnLength)
    }

    /// The probability that a guess is right, if all before it are, which follows `count` of a match's `occurrences`.
    func probability(_ line: Line, count: Int, occurrences: Int) -> Float {
        let logit: Float =
            if count * 100 >= occurrences * 97 { 3.4761 } else if count * 100 <= occurrences { -4.5951 } else {
                logarithm(count) - logarithm(occurrences - count)
            }
        let z = min(max(line.offset + line.slope * logit, -Self.reach + 0.1), Self.reach - 0.1)
        let place = (z + Self.reach) * Self.perUnit
        let index = Int(place)
        return logistic[index] + (logistic[index + 1] - logistic[index]) * (place - Float(index))
    }

    private func logarithm(_ number: Int) -> Float {
        number < Self.logarithmCount ? logarithms[max(number, 0)] : log(Float(number))
    }
}

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
