// Keeping what a prompt shows already out of a store's answers.

package import InferTokenizers

extension StoreSegment {
    /// Excludes long stretches that `text` has as well, such as the part of an open file that is in a prompt: the text itself is
    /// a source of guesses, and what is counted twice is trusted too much. What follows a stretch is still served.
    package mutating func excludeStretches(of text: [TokenID]) {
        // A stretch of twice that length, less one, holds one of the windows, wherever it begins.
        let window = 16
        for start in stride(from: 0, through: text.count - window, by: window) {
            // What occurs more often than this is no file but an idiom.
            guard let range = index.find(text[start..<start + window]), range.count <= 8 else { continue }
            for occurrence in range.lower..<range.upper {
                let position = index.position(occurrence)
                guard position < index.tokenCount, !excluded.contains(position) else { continue }
                var before = 0
                while before < min(start, position),
                    index.tokenAt(position - before - 1) == text[start - before - 1]
                {
                    before += 1
                }
                var after = window
                while start + after < text.count, index.tokenAt(position + after) == text[start + after] { after += 1 }
                if before + after >= 2 * window { excluded.insert(position - before..<position + after) }
            }
        }
    }
}
