// The classes of scalars that pre-tokenizer rules name.

/// A class of scalars.
enum ScalarSet: Sendable {
    case letters
    case numbers
    case punctuation
    case newlines
    case asciiDigits
    /// Punctuation, and the given ASCII symbols.
    case punctuationAnd([Unicode.Scalar])
    /// Ranges in ascending order. White space outside ASCII belongs to none, wherever it lies: llama.cpp replaces it
    /// before such a class is matched.
    case ranges([ClosedRange<UInt32>])

    func contains(_ scalar: ClassifiedScalar) -> Bool {
        switch self {
        case .letters: return scalar.isLetter
        case .numbers: return scalar.isNumber
        case .punctuation: return scalar.isPunctuation
        case .newlines: return scalar.isNewline
        case .asciiDigits: return (48...57).contains(scalar.value)
        case .punctuationAnd(let symbols): return scalar.isPunctuation || symbols.contains { scalar == $0 }
        case .ranges(let ranges):
            guard scalar.exists, !scalar.isWhitespace else { return false }
            var low = 0
            var high = ranges.count
            while low < high {
                let middle = (low + high) / 2
                if ranges[middle].upperBound < scalar.value { low = middle + 1 } else { high = middle }
            }
            return low < ranges.count && ranges[low].lowerBound <= scalar.value
        }
    }
}
