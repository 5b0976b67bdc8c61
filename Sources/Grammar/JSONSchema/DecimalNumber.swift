// Decimal numbers as JSON writes them, without rounding.

import InferSupport

/// A decimal number: digits and a power of ten.
struct DecimalNumber: Hashable, Sendable {
    /// Whether it is below 0.
    let isNegative: Bool
    /// The digits before the point, the most significant first, without leading zeros. None for 0.
    let integerDigits: [UInt8]
    /// The digits after the point, without trailing zeros.
    let fractionDigits: [UInt8]

    /// The number of a JSON value; nil if it is none. A `Double` counts as the shortest decimal number that reads as it.
    init?(_ value: JSONValue) {
        switch value {
        case .integer(let integer): self.init(text: "\(integer)")
        case .number(let number) where number.isFinite: self.init(text: "\(number)")
        default: return nil
        }
    }

    /// The number that `text` writes as JSON does.
    private init(text: String) {
        var digits: [UInt8] = []
        var exponent = 0
        let parts = text.split(separator: "e")
        if parts.count > 1 { exponent = Int(parts[1]) ?? 0 }
        var isFraction = false
        for byte in parts[0].utf8 {
            switch byte {
            case UInt8(ascii: "."): isFraction = true
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                digits.append(byte - UInt8(ascii: "0"))
                if isFraction { exponent -= 1 }
            default: break
            }
        }
        if exponent > 0 { digits += Array(repeating: 0, count: exponent) }
        let fractionCount = max(-exponent, 0)
        if digits.count < fractionCount { digits = Array(repeating: 0, count: fractionCount - digits.count) + digits }
        integerDigits = Array(digits.dropLast(fractionCount).drop { $0 == 0 })
        var fraction = digits.suffix(fractionCount)
        while fraction.last == 0 { fraction.removeLast() }
        fractionDigits = Array(fraction)
        isNegative = text.hasPrefix("-") && !(integerDigits.isEmpty && fractionDigits.isEmpty)
    }

    /// Whether it is 0.
    var isZero: Bool { integerDigits.isEmpty && fractionDigits.isEmpty }

    /// Whether it has no fraction.
    var isInteger: Bool { fractionDigits.isEmpty }

    /// The number as JSON, without exponent.
    var text: String {
        func text(_ digits: [UInt8]) -> String { digits.map(String.init).joined() }
        return (isNegative ? "-" : "") + (integerDigits.isEmpty ? "0" : text(integerDigits))
            + (fractionDigits.isEmpty ? "" : "." + text(fractionDigits))
    }

    /// The absolute value times 10^`power`, if that is a whole number that fits into 63 bits.
    func scaled(by power: Int) -> Int? {
        guard fractionDigits.count <= power else { return nil }
        var result = 0
        let zeros = [UInt8](repeating: 0, count: power - fractionDigits.count)
        for digit in integerDigits + fractionDigits + zeros {
            let (product, isTooLarge) = result.multipliedReportingOverflow(by: 10)
            guard !isTooLarge, product <= .max - 9 else { return nil }
            result = product + Int(digit)
        }
        return result
    }
}

extension DecimalNumber: Comparable {
    static func < (one: DecimalNumber, other: DecimalNumber) -> Bool {
        if one.isNegative != other.isNegative { return one.isNegative }
        let (small, large) = one.isNegative ? (other, one) : (one, other)
        if small.integerDigits.count != large.integerDigits.count {
            return small.integerDigits.count < large.integerDigits.count
        }
        return (small.integerDigits + small.fractionDigits)
            .lexicographicallyPrecedes(large.integerDigits + large.fractionDigits)
    }
}
