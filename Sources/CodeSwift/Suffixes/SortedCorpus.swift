// A corpus with its suffix array, in memory.

package import InferSupport

/// A finished corpus and the sorted suffixes of its tokens.
///
/// Sendable because nothing changes any more.
package final class SortedCorpus: @unchecked Sendable {
    /// The documents; not to be changed.
    let corpus: Corpus
    /// All suffixes; those that begin with a separator come last.
    private let allSuffixes: UnsafeMutableBufferPointer<UInt32>
    private let allBuckets: UnsafeMutableBufferPointer<UInt32>

    /// Sorts the suffixes of `corpus`, which is not to be changed afterwards.
    ///
    /// - Parameter progress: Called now and then with the share that is done.
    /// - Throws: ``InferenceError`` as ``SuffixSorter`` does.
    package init(_ corpus: consuming Corpus, progress: (Double) -> Void = { _ in }) throws(InferenceError) {
        self.corpus = corpus
        allSuffixes = .allocate(capacity: corpus.tokenCount)
        allBuckets = .allocate(capacity: corpus.vocabularyCount + 1)
        let alphabet = corpus.vocabularyCount + 1
        if TokenBuffer.width(vocabularyCount: corpus.vocabularyCount) == 2 {
            try SuffixSorter.sort(
                corpus.bytes.bindMemory(to: UInt16.self), alphabet: alphabet, into: allSuffixes, progress)
        } else {
            try SuffixSorter.sort(
                corpus.bytes.bindMemory(to: UInt32.self), alphabet: alphabet, into: allSuffixes, progress)
        }
        countBuckets()
    }

    deinit {
        allSuffixes.deallocate()
        allBuckets.deallocate()
    }

    /// Start of every suffix that does not begin with a separator.
    var suffixes: UnsafeBufferPointer<UInt32> {
        UnsafeBufferPointer(rebasing: allSuffixes[..<(corpus.tokenCount - corpus.documentCount)])
    }

    /// Index of the first suffix that begins with each token, and the number of suffixes.
    var buckets: UnsafeBufferPointer<UInt32> { UnsafeBufferPointer(allBuckets) }

    /// Its suffix array for look-ups.
    package var index: SuffixIndex {
        SuffixIndex(owner: self, tokens: corpus.tokens, suffixes: suffixes, buckets: buckets)
    }

    private func countBuckets() {
        let tokens = corpus.tokens
        allBuckets.initialize(repeating: 0)
        for position in 0..<tokens.count {
            let next = Int(tokens[position]) + 1
            if next < allBuckets.count { allBuckets[next] += 1 }
        }
        for token in allBuckets.indices.dropFirst() { allBuckets[token] += allBuckets[token - 1] }
    }
}
