// Splitting rules: the protocol, and the rules that cut out runs of one class of scalars.

/// A rule that splits text into pieces. Each rule implements one regular expression of a published tokenizer in linear time.
protocol SplitRule: Sendable {
    /// Appends the ends of the pieces of `text`, in ascending order. The last one is the end of `text`.
    func split(_ text: ScalarText.Window, into ends: inout [Int])
}

/// A rule that finds one match after another, from left to right. The matches become pieces, and so does the text between them.
protocol MatchingRule: SplitRule {
    /// The end of the match at `start`, which is after `start`; nil if there is none.
    func end(_ text: ScalarText.Window, _ start: Int) -> Int?
}

extension MatchingRule {
    func split(_ text: ScalarText.Window, into ends: inout [Int]) {
        var gap = text.range.lowerBound
        var start = gap
        while start < text.range.upperBound {
            guard let end = end(text, start) else {
                start += 1
                continue
            }
            if start > gap { ends.append(start) }
            ends.append(end)
            gap = end
            start = end
        }
        if gap < text.range.upperBound { ends.append(text.range.upperBound) }
    }
}

extension SplitRule {
    /// The end of the white space at `start` according to `\s*[\r\n]+|\s+(?!\S)|\s+`. It ends after the last line break.
    /// Without line breaks, it leaves one space for a following word. The first alternative applies if `breakingLines`.
    @inline(__always)
    func endOfWhitespace(_ text: ScalarText.Window, from start: Int, breakingLines: Bool) -> Int {
        var end = start
        var afterNewline = start
        while text[end].isWhitespace {
            end += 1
            if text[end - 1].isNewline { afterNewline = end }
        }
        if breakingLines, afterNewline > start { return afterNewline }
        return end - start > 1 && text[end].exists ? end - 1 : end
    }

    /// The end of the number at `start`, which has at most `limit` digits.
    @inline(__always)
    func endOfNumber(_ text: ScalarText.Window, from start: Int, limit: Int) -> Int {
        var end = start
        while end - start < limit, text[end].isNumber { end += 1 }
        return end
    }

    /// The end of an English contraction (`'s 't 're 've 'm 'll 'd`) at `start`; nil if there is none.
    @inline(__always)
    func endOfContraction(_ text: ScalarText.Window, from start: Int, ignoringCase: Bool) -> Int? {
        guard text[start] == "'" else { return nil }
        func letter(_ offset: Int) -> UInt32 {
            let scalar = text[start + offset]
            return ignoringCase && scalar.isASCIIUppercase ? scalar.value + 32 : scalar.value
        }
        switch Unicode.Scalar(letter(1)) {
        case "s", "t", "m", "d": return start + 2
        case "r", "v": return letter(2) == 101 ? start + 3 : nil
        case "l": return letter(2) == 108 ? start + 3 : nil
        default: return nil
        }
    }
}

/// Cuts out runs of one class of scalars: `[class]{minimum,limit}`, optionally with one white space before it. The matches
/// become pieces, and so does the text between them.
struct RunRule: SplitRule {
    var members: ScalarSet
    /// Minimum length of a match.
    var minimum = 1
    /// Maximum length of a match. A longer run becomes several matches.
    var limit = Int.max
    /// Whether a match includes one white space before the run.
    var takesSpace = false

    func split(_ text: ScalarText.Window, into ends: inout [Int]) {
        var gap = text.range.lowerBound
        var index = gap
        while index < text.range.upperBound {
            let body = takesSpace && text[index].isWhitespace ? index + 1 : index
            guard members.contains(text[body]) else {
                index += 1
                continue
            }
            var end = body
            while end - body < limit, members.contains(text[end]) { end += 1 }
            guard end - body >= minimum else {
                index = end
                continue
            }
            if index > gap { ends.append(index) }
            ends.append(end)
            gap = end
            index = end
        }
        if gap < text.range.upperBound { ends.append(text.range.upperBound) }
    }
}

/// Cuts runs of digits into groups of three, counted from the end of the run.
struct DigitGroupRule: SplitRule {
    /// Where the text is cut.
    enum Cuts: Sendable {
        /// Before each group of three. The first digits of a run, if they are fewer, and the text after a run are not cut off.
        case beforeGroups
        /// After each group, including a first group of one or two digits. The text before a run is not cut off.
        case afterGroups
    }

    var members: ScalarSet
    var cuts: Cuts

    func split(_ text: ScalarText.Window, into ends: inout [Int]) {
        var start = text.range.lowerBound
        var last = start
        while start < text.range.upperBound {
            let end = text.end(from: start) { members.contains($0) }
            var cut = cuts == .beforeGroups || (end - start) % 3 > 0 ? start + (end - start) % 3 : start + 3
            while cuts == .beforeGroups ? cut < end : end > start && cut <= end {
                if cut > last { ends.append(cut) }
                last = cut
                cut += 3
            }
            start = end + 1
        }
        if last < text.range.upperBound { ends.append(text.range.upperBound) }
    }
}

/// A class of scalars.
enum ScalarSet: Sendable {
    case letters
    case numbers
    case punctuation
    case newlines
    case lineFeeds
    case asciiDigits
    /// Punctuation, and the given ASCII symbols.
    case punctuationAnd([Unicode.Scalar])
    /// Ranges in ascending order. White space never belongs to this class: llama.cpp replaces it before it matches such a
    /// class.
    case ranges([ClosedRange<UInt32>])

    func contains(_ scalar: ClassifiedScalar) -> Bool {
        switch self {
        case .letters: return scalar.isLetter
        case .numbers: return scalar.isNumber
        case .punctuation: return scalar.isPunctuation
        case .newlines: return scalar.isNewline
        case .lineFeeds: return scalar == "\n"
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

/// Cuts off white space at the end: `\s+$`.
struct TrailingSpaceRule: SplitRule {
    func split(_ text: ScalarText.Window, into ends: inout [Int]) {
        var start = text.range.upperBound
        while start > text.range.lowerBound, text[start - 1].isWhitespace { start -= 1 }
        if start > text.range.lowerBound { ends.append(start) }
        if start < text.range.upperBound { ends.append(text.range.upperBound) }
    }
}
