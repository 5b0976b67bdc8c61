// Short ways to make a drafter draft and to see what it drafted.

import InferDecoding

extension Drafter {
    /// What the drafter drafts next.
    func draft(limit: Int = 64) -> DraftTree {
        var tree = DraftTree()
        draft(into: &tree, limit: limit)
        return tree
    }

    /// Tells the drafter that the text went on by `tokens` without a draft.
    func follow(_ tokens: [Int32]) { observe(Verification(tokens: tokens)) }
}

extension DraftTree {
    /// All paths from the root to a node without child, in order.
    var paths: [[Int32]] { nodes.filter { children(of: $0).isEmpty }.map(path) }
}

/// Random numbers that are the same in every run (SplitMix64; G. Steele et al., "Fast splittable pseudorandom number
/// generators", 2014).
struct RepeatableGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// A text of `count` tokens out of `alphabet`, in which parts return.
    mutating func text(_ count: Int, alphabet: Int32) -> [Int32] {
        var text: [Int32] = []
        while text.count < count {
            if text.count > 4, Bool.random(using: &self) {
                let start = Int.random(in: 0..<text.count, using: &self)
                text += text[start..<min(start + Int.random(in: 1...12, using: &self), text.count)]
            } else {
                text.append(Int32.random(in: 0..<alphabet, using: &self))
            }
        }
        return Array(text.prefix(count))
    }
}
