// The rule that cuts runs of one class of scalars out of the text.

/// `[class]{minimum,limit}`, or with an optional white space before it: matches become pieces, and so does what lies
/// between them.
struct RunRule: SplitRule {
    var members: ScalarSet
    /// Length of the shortest match.
    var minimum = 1
    /// Length of the longest match; a longer run becomes several.
    var limit = Int.max
    /// Whether one white space before the run belongs to it.
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
