// The rule that cuts off white space at the end.

/// `\s+$`.
struct TrailingSpaceRule: SplitRule {
    func split(_ text: ScalarText.Window, into ends: inout [Int]) {
        var start = text.range.upperBound
        while start > text.range.lowerBound, text[start - 1].isWhitespace { start -= 1 }
        if start > text.range.lowerBound { ends.append(start) }
        if start < text.range.upperBound { ends.append(text.range.upperBound) }
    }
}
