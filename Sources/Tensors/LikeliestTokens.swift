// Where a backend puts the likeliest tokens of rows of logits.

package import InferSupport

/// The likeliest tokens of up to so many rows, and memory to find them in.
///
/// A row's best k values lie in the k best of its blocks, blocks compared by their maxima and, where these are equal, by their
/// order: each other block has k values before it that are better than all of its own. So blocks are searched, not rows, and
/// as there are many blocks, they are found in the same way, among blocks of their maxima.
package struct LikeliestTokens: Sendable {
    /// Values whose maximum is taken.
    package static let blockLength = 64
    /// Most tokens of a row that can be asked for.
    package static let largestCount = 64

    /// Per row, the keys of its candidates, each in the memory of two values: the likeliest first, then zeros.
    package let keys: Activations
    /// Per row, maxima of its blocks; what else, the backend knows.
    package let maxima: Activations
    /// Per row, the total of ``SoftmaxSums`` and then what comes before each candidate.
    package let sums: Activations

    /// Memory for the `count` likeliest tokens, 1…``largestCount``, of each of `rows` rows of up to `columns` logits.
    package init(
        _ count: Int, rows: Int, columns: Int, on backend: some Backend
    ) throws(InferenceError) {
        keys = try backend.makeActivations(rows: rows, columns: Self.keyColumns(count))
        maxima = try backend.makeActivations(rows: rows, columns: Self.maximaColumns(columns))
        sums = try backend.makeActivations(rows: rows, columns: count + 1)
    }

    /// The activations that this memory consists of.
    package static func shapes(_ count: Int, rows: Int, columns: Int) -> [(rows: Int, columns: Int)] {
        [(rows, keyColumns(count)), (rows, maximaColumns(columns)), (rows, count + 1)]
    }

    private static func keyColumns(_ count: Int) -> Int { 2 * count }
    private static func maximaColumns(_ columns: Int) -> Int { levels(of: columns).dropFirst().reduce(0, +) }

    /// How many tokens of a row there is room for.
    package var count: Int { keys.columns / 2 }
    /// How many rows there is room for.
    package var rows: Int { keys.rows }

    /// The candidates of row 0..<rows, the likeliest first.
    package func read(rows: Int, from backend: some Backend) -> [[Candidate]] {
        backend.read(keys, rows: rows) { values in
            let keys = UnsafeRawBufferPointer(values)
            return (0..<rows).map { row in
                (row * count..<(row + 1) * count).lazy
                    .prefix { 8 * $0 < keys.count }
                    .map { keys.loadUnaligned(fromByteOffset: 8 * $0, as: UInt64.self) }
                    .prefix { $0 > 0 }
                    .compactMap(Candidate.init(key:))
            }
        }
    }

    /// The softmax's sums of rows 0..<rows, which have `tokenCount` logits.
    package func readSums(rows: Int, tokenCount: Int, from backend: some Backend) -> [SoftmaxSums] {
        backend.read(sums, rows: rows) { values in
            (0..<rows).compactMap { row in
                let sums = values[row * (count + 1)..<(row + 1) * (count + 1)]
                return sums.first.map {
                    SoftmaxSums(total: $0, before: Array(sums.dropFirst()), tokenCount: tokenCount)
                }
            }
        }
    }

    /// The number of values, of their blocks' maxima, of those maxima's, and so on until there are few.
    static func levels(of count: Int) -> [Int] {
        var levels = [count]
        var last = count
        repeat {
            last = (last + blockLength - 1) / blockLength
            levels.append(last)
        } while last > few
        return levels
    }

    /// So many values are looked through at once.
    private static let few = 512
}
