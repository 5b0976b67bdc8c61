// A suffix array without its owner, for inner loops.

import InferTokenizers

/// The memory of a ``SuffixIndex``. Copies cost nothing, and nothing keeps the memory: whoever has one keeps the index.
struct SuffixView: BitwiseCopyable {
    let tokens: TokenBuffer
    let suffixes: UnsafeBufferPointer<UInt32>
    /// One entry per token of the vocabulary, and one more.
    let buckets: UnsafeBufferPointer<UInt32>

    /// The position in the tokens of the suffix at `index`.
    func position(_ index: Int) -> Int { Int(suffixes[index]) }

    /// Indices of the suffixes that begin with `token`, which is empty for what is no token.
    func bucket(_ token: TokenID) -> Range<Int> {
        guard token >= 0, Int(token) + 1 < buckets.count else { return 0..<0 }
        let lower = Int(buckets[Int(token)])
        let upper = min(Int(buckets[Int(token) + 1]), suffixes.count)
        return lower < upper ? lower..<upper : 0..<0
    }
}
