// How likely a prediction is to be accepted: a fitted prior, corrected by observed outcomes.

import InferSupport

/// Prior acceptance probabilities from a logistic formula for each kind of source. It was fitted by replaying the
/// reference answers of HumanEval, MBPP-Swift and two repositories, without edits:
///
///     z = b0 + b1 ln M + b2 logit(share) + b3 ln N [longest match] + b4 ln M logit(share)
///         + b5 [first token of the step] + b6…b9 [back-off of order ≥ 4, 3, 2, 1]
///
/// M is the number of matched tokens, N the number of occurrences, and the share is the fraction of the occurrences
/// that continue with the predicted token, clipped to 0.01…0.97.
///
/// Logarithms and the logistic function come from tables, because they are needed a few hundred times per step.
struct AcceptancePriors: ~Copyable {
    /// b0 … b9 of repositories, datastores, the context and the history, concatenated.
    private static let coefficients: [Float] = [
        -2.223, 0.229, 0.519, 0.189, 0.129, -0.032, -0.187, -0.128, -0.201, -0.426,
        -3.039, 0.326, 0.565, 0.284, 0.041, -0.008, 0.715, 0.779, 0.55, 0.19,
        -2.418, 0.284, 0.481, 0.294, 0.163, -0.013, 0.489, 0.338, 0.289, -0.117,
        -2.843, 0.447, 0.599, 0.446, 0.084, -0.039, 0.374, 0.54, 0.357, 0.559,
    ]
    private static let perKind = 10

    /// Index of the first coefficient of a kind; nil for a kind without a formula.
    private static func start(of kind: SourceKind) -> Int? {
        switch kind {
        case .repository: 0
        case .common: perKind
        // The cursor counts as a match in the context.
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
    /// ln n, for n = 0 … ``logarithmCount`` − 1 (0 counts as 1).
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

    /// The formula for the continuations of a match; nil for preferences, which have their own probabilities.
    ///
    /// - Parameters:
    ///   - kind: The kind of source.
    ///   - length: Number of matched tokens, including nodes of the draft.
    ///   - occurrences: Number of occurrences of the match.
    ///   - isBackOff: Whether the same source has a longer match.
    ///   - startsStep: Whether the prediction is for the first token after the text.
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

    /// The probability that a prediction is accepted if all before it are. It follows `count` of the match's
    /// `occurrences`.
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

/// Corrects the priors by observed outcomes: for each category of predictions, the number accepted divided by the sum
/// of their prior probabilities. Categories with few outcomes lean on wider ones.
struct AcceptanceTable: ~Copyable {
    struct Tally {
        var right: Float = 0
        var predicted: Float = 0

        mutating func add(_ isRight: Bool, _ probability: Float) {
            right += isRight ? 1 : 0
            predicted += probability
            // Old outcomes lose weight, so that the table can adapt to another text.
            if predicted > 400 {
                right /= 2
                predicted /= 2
            }
        }

        /// The correction factor. The wider category's factor `wider` has the weight of four expected acceptances.
        func ratio(_ wider: Float) -> Float { (right + 4 * wider) / (predicted + 4) }
    }

    /// The narrowest category of a prediction: kind of source, order of the back-off, share, match length and number of
    /// occurrences.
    struct Category { fileprivate var cell: Int32 }

    /// The part of the category that all continuations of a match have in common.
    struct MatchCategory {
        fileprivate var level: Int32
        fileprivate var length: Int32
    }

    private static let levels = 4
    private static let shares = 8
    private static let lengths = 10
    private static let counts = 3
    /// Number of cells per kind of source and level.
    private static let cellsPerLevel = shares * lengths * counts
    private static let cellsPerShare = lengths * counts

    /// Three tables: by kind of source; by kind, level and share; by the whole category.
    private var byKind = FlatList(repeating: Tally(), count: SourceKind.allCases.count)
    private var byShare = FlatList(repeating: Tally(), count: SourceKind.allCases.count * levels * shares)
    private var byCell = FlatList(repeating: Tally(), count: SourceKind.allCases.count * levels * cellsPerLevel)

    /// The category of a match.
    static func category(_ kind: SourceKind, length: Int, occurrences: Int, isBackOff: Bool) -> MatchCategory {
        let level = kind.rawValue * levels + (isBackOff ? min(length, 3) : 0)
        // Length classes: 1, 2, 3, 4, 5–6, 7–8, 9–12, 13–16, 17–24, more.
        let lengthClass =
            switch length {
            case ...4: max(length, 1) - 1
            case ...8: (length + 3) / 2
            case ...16: (length + 15) / 4
            case ...24: 8
            default: 9
            }
        let countClass = occurrences == 1 ? 0 : occurrences <= 5 ? 1 : 2
        return MatchCategory(level: Int32(level), length: Int32(lengthClass * counts + countClass))
    }

    /// The category of a prediction that follows `count` of the match's `occurrences`.
    static func category(_ match: MatchCategory, count: Int, occurrences: Int) -> Category {
        // Share classes by powers of two: 1, above 1/2, above 1/4, …
        let quotient = UInt(occurrences / max(count, 1))
        let share = count * 100 >= occurrences * 99 ? 0 : min(7, UInt.bitWidth - quotient.leadingZeroBitCount)
        return Category(cell: match.level * Int32(cellsPerLevel) + Int32(share * cellsPerShare) + match.length)
    }

    /// The prior `probability` of a prediction, corrected.
    func correct(_ probability: Float, _ category: Category) -> Float {
        let cell = Int(category.cell)
        let kind = byKind[cell / (Self.levels * Self.cellsPerLevel)].ratio(1)
        let ratio = byCell[cell].ratio(byShare[cell / Self.cellsPerShare].ratio(kind))
        return min(max(probability * ratio, 0.0001), 0.985)
    }

    /// Records whether a prediction with the prior `probability` was accepted.
    mutating func add(_ isRight: Bool, _ probability: Float, _ category: Category) {
        let cell = Int(category.cell)
        byKind[cell / (Self.levels * Self.cellsPerLevel)].add(isRight, probability)
        byShare[cell / Self.cellsPerShare].add(isRight, probability)
        byCell[cell].add(isRight, probability)
    }

    // MARK: As plain numbers

    /// All tallies, wide to narrow, as pairs of accepted and expected counts.
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

    /// Whether `tallies` are valid tallies of a table, or empty.
    static func areTallies(_ tallies: [Float]) -> Bool {
        tallies.isEmpty || (tallies.count == tallyCount && tallies.allSatisfy { (0...1000).contains($0) })
    }

    /// Number of values in ``tallies``.
    static var tallyCount: Int {
        let cells = SourceKind.allCases.count * levels * cellsPerLevel
        return 2 * (SourceKind.allCases.count * (1 + levels * shares) + cells)
    }

    /// Adds the tallies of another table, which must satisfy ``areTallies(_:)``.
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
