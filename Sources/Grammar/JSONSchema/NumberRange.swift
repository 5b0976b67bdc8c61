// Numbers within bounds, and multiples of a number, as automata over their digits.

import InferSupport

/// The numbers that a schema allows.
struct NumberRange: Hashable, Sendable {
    /// A bound.
    struct Bound: Hashable, Sendable {
        var value: DecimalNumber
        /// Whether the value itself is outside.
        var isExclusive: Bool
    }

    /// The greatest of the lower bounds.
    private(set) var lower: Bound?
    /// The least of the upper bounds.
    private(set) var upper: Bound?
    /// The numbers of which all must be multiples.
    private(set) var divisors: Set<DecimalNumber> = []

    /// Whether all numbers are allowed.
    var isUnlimited: Bool { lower == nil && upper == nil && divisors.isEmpty }

    /// Adds a lower bound.
    mutating func limit(below bound: Bound) {
        let isWeaker = lower.map { ($0.value, $0.isExclusive ? 1 : 0) < (bound.value, bound.isExclusive ? 1 : 0) }
        if isWeaker ?? true { lower = bound }
    }

    /// Adds an upper bound.
    mutating func limit(above bound: Bound) {
        let isWeaker = upper.map { (bound.value, bound.isExclusive ? 0 : 1) < ($0.value, $0.isExclusive ? 0 : 1) }
        if isWeaker ?? true { upper = bound }
    }

    /// Adds a number of which all must be multiples.
    mutating func limit(toMultiplesOf divisor: DecimalNumber) { divisors.insert(divisor) }

    /// Allows only what `other` allows, too.
    mutating func formIntersection(_ other: NumberRange) {
        if let bound = other.lower { limit(below: bound) }
        if let bound = other.upper { limit(above: bound) }
        divisors.formUnion(other.divisors)
    }
}

// MARK: Automata

extension NumberRange {
    /// The largest divisor, as a whole number of units of the last decimal place.
    private static let maximumModulus = 4_000

    /// The automaton of the numbers, written without exponent.
    ///
    /// Whole numbers have up to 20 digits. Numbers with a fraction have up to 15 digits, so that two of them never round to the same
    /// `Double`, and every reader agrees about bounds. There is no negative zero.
    ///
    /// - Throws: `invalidArgument` if the divisors need too many states.
    func automaton(integersOnly: Bool, budget: inout CompilationBudget) throws(InferenceError) -> Automaton {
        let digits = try DigitRules(self, integersOnly: integersOnly)
        return try Automaton(from: DigitState(), budget: &budget, steps: digits.steps, isAccepting: digits.isAccepting)
    }

    /// The divisors as one: how many decimal places count, and the divisor in units of the last.
    fileprivate func modulus() throws(InferenceError) -> (places: Int, value: Int) {
        let places = divisors.map(\.fractionDigits.count).max() ?? 0
        var value = 1
        for divisor in divisors.sorted() {
            guard let scaled = divisor.scaled(by: places), scaled > 0, let multiple = Self.multiple(value, scaled),
                multiple <= Self.maximumModulus
            else {
                throw InferenceError(
                    .invalidArgument,
                    "the keyword \"multipleOf\" with \(divisors.sorted().map(\.text).joined(separator: " and ")) is not "
                        + "supported: it needs more than \(Self.maximumModulus) states")
            }
            value = multiple
        }
        return (places, value)
    }

    /// The least common multiple of two positive numbers, if it can be computed.
    private static func multiple(_ one: Int, _ other: Int) -> Int? {
        var (divisor, rest) = (one, other)
        while rest > 0 { (divisor, rest) = (rest, divisor % rest) }
        let (product, isTooLarge) = (one / divisor).multipliedReportingOverflow(by: other)
        return isTooLarge ? nil : product
    }
}

/// What is known of a number after some of its characters.
private struct DigitState: Hashable {
    enum Part { case start, sign, zero, integer, point, fraction }
    var part = Part.start
    var isNegative = false
    var isNonzero = false
    /// The number of digits before the point, and after it.
    var integerCount: Int8 = 0
    var fractionCount: Int8 = 0
    /// How the absolute value so far compares with that of each bound: the digits before the point as long as there is none, taken as if
    /// the numbers of digits were equal; afterwards the whole.
    var comparison = SIMD2<Int8>()
    /// The digits so far, without those that do not count, modulo the divisor.
    var remainder: Int32 = 0
}

/// The rules by which digits follow each other.
private struct DigitRules {
    private static let maximumIntegerCount: Int8 = 20
    private static let maximumCount: Int8 = 15

    private let bounds: [NumberRange.Bound?]
    private let integersOnly: Bool
    private let hasDivisor: Bool
    private let places: Int8
    private let modulus: Int32

    init(_ range: NumberRange, integersOnly: Bool) throws(InferenceError) {
        bounds = [range.lower, range.upper]
        self.integersOnly = integersOnly
        hasDivisor = !range.divisors.isEmpty
        let (places, value) = try range.modulus()
        (self.places, modulus) = (Int8(clamping: places), Int32(value))
    }

    func steps(_ state: DigitState) -> [(bytes: ByteSet, target: DigitState)] {
        var steps: [(bytes: ByteSet, target: DigitState)] = []
        if state.part == .start {
            var next = state
            (next.part, next.isNegative) = (.sign, true)
            steps.append((ByteSet(UInt8(ascii: "-")), next))
        }
        for digit in 0...9 as ClosedRange<UInt8> {
            if let next = self.state(state, after: digit) { steps.append((ByteSet(UInt8(ascii: "0") + digit), next)) }
        }
        let endsInteger = state.part == .zero || state.part == .integer
        if endsInteger, !integersOnly, state.integerCount < Self.maximumCount {
            var next = state
            next.part = .point
            next.comparison = wholeComparison(state)
            steps.append((ByteSet(UInt8(ascii: ".")), next))
        }
        return steps
    }

    private func state(_ state: DigitState, after digit: UInt8) -> DigitState? {
        var next = state
        next.isNonzero = state.isNonzero || digit > 0
        switch state.part {
        case .start, .sign, .integer:
            guard state.part == .integer || digit > 0 else {
                next.part = .zero
                return next
            }
            guard state.integerCount < Self.maximumIntegerCount else { return nil }
            next.part = .integer
            next.integerCount += 1
            compare(digit, Int(state.integerCount), \.integerDigits, &next)
            next.remainder = (next.remainder * 10 + Int32(digit)) % modulus
        case .point, .fraction:
            guard max(state.integerCount, 1) + state.fractionCount < Self.maximumCount else { return nil }
            next.part = .fraction
            compare(digit, Int(state.fractionCount), \.fractionDigits, &next)
            next.fractionCount += 1
            if hasDivisor {
                guard state.fractionCount < places || digit == 0 else { return nil }
                if state.fractionCount < places { next.remainder = (next.remainder * 10 + Int32(digit)) % modulus }
            }
        case .zero: return nil
        }
        return next
    }

    /// Compares the digit at a place with those of the bounds.
    private func compare(
        _ digit: UInt8, _ place: Int, _ digits: KeyPath<DecimalNumber, [UInt8]>, _ state: inout DigitState
    ) {
        for (index, bound) in bounds.enumerated() where state.comparison[index] == 0 {
            guard let digits = bound?.value[keyPath: digits] else { continue }
            let other = place < digits.count ? digits[place] : 0
            state.comparison[index] = digit == other ? 0 : digit < other ? -1 : 1
        }
    }

    /// How the digits before the point compare with those of the bounds.
    private func wholeComparison(_ state: DigitState) -> SIMD2<Int8> {
        var comparison = state.comparison
        for (index, bound) in bounds.enumerated() {
            guard let count = bound?.value.integerDigits.count, count != Int(state.integerCount) else { continue }
            comparison[index] = state.integerCount < count ? -1 : 1
        }
        return comparison
    }

    func isAccepting(_ state: DigitState) -> Bool {
        let comparison: SIMD2<Int8>
        switch state.part {
        case .start, .sign, .point: return false
        case .zero, .integer: comparison = wholeComparison(state)
        case .fraction: comparison = state.comparison
        }
        if state.isNegative && !state.isNonzero { return false }
        for (index, bound) in bounds.enumerated() {
            guard let bound else { continue }
            var order = comparison[index]
            let read = state.part == .fraction ? Int(state.fractionCount) : 0
            // The bound has further digits; they do not end with zeros.
            if order == 0, read < bound.value.fractionDigits.count { order = -1 }
            if state.isNegative != bound.value.isNegative {
                order = state.isNegative ? -1 : 1
            } else if state.isNegative {
                order = -order
            }
            let isBeyond = index == 0 ? order < 0 : order > 0
            if isBeyond || (order == 0 && bound.isExclusive) { return false }
        }
        var remainder = state.remainder
        for _ in min(state.fractionCount, places)..<places { remainder = remainder * 10 % modulus }
        return remainder == 0
    }
}
