// Top tokens of rows of logits: the token itself, the memory to find it in, and what a device adds up of the others.

package import InferSupport

/// One of the tokens with the largest logits of a row. The token with the higher logit is the greater one; of equal logits, the token
/// with the lower id.
public struct TopToken: Comparable, Hashable, Sendable {
    /// The logit's order-preserving bits above the complement of the id; never 0.
    package let key: UInt64

    /// - Parameters:
    ///   - token: The token's id, not negative.
    ///   - logit: Its logit, not NaN.
    public init(token: Int32, logit: Float) {
        // Adding 0 turns −0, which compares equal to 0 but has other bits, into 0.
        let bits = (logit + 0).bitPattern
        let ordered = bits >> 31 == 0 ? bits | 1 << 31 : ~bits
        key = UInt64(ordered) << 32 | UInt64(~UInt32(bitPattern: token))
    }

    /// The token that has this key; nil for 0, which none has.
    package init?(key: UInt64) {
        if key == 0 { return nil }
        self.key = key
    }

    /// The token's id.
    public var token: Int32 { Int32(bitPattern: ~UInt32(truncatingIfNeeded: key)) }

    /// Its logit.
    public var logit: Float {
        let ordered = UInt32(truncatingIfNeeded: key >> 32)
        return Float(bitPattern: ordered >> 31 == 1 ? ordered & ~(1 << 31) : ~ordered)
    }

    /// Compares logits, then ids.
    public static func < (a: TopToken, b: TopToken) -> Bool { a.key < b.key }
}

/// The top tokens of up to so many rows, and memory to find them in.
///
/// A row's best k values lie in the k best of its blocks, blocks compared by their maxima and, where these are equal, by their
/// order: each other block has k values before it that are better than all of its own. So blocks are searched, not rows, and
/// as there are many blocks, they are found in the same way, among blocks of their maxima.
package struct TopTokenBuffers: Sendable {
    /// Values whose maximum is taken.
    package static let blockLength = 64
    /// Most tokens of a row that can be asked for.
    package static let largestCount = 64

    /// Per row, the keys of its top tokens, each in the memory of two values: the largest first, then zeros.
    package let keys: Activations
    /// Per row, maxima of its blocks; what else, the backend knows.
    package let maxima: Activations
    /// Per row, the total of ``SoftmaxSums`` and then the sum before each top token.
    package let sums: Activations

    /// Memory for the `count` top tokens, 1…``largestCount``, of each of `rows` rows of up to `columns` logits.
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

    /// The top tokens of rows 0..<rows, largest logit first.
    package func read(rows: Int, from backend: some Backend) -> [[TopToken]] {
        backend.read(keys, rows: rows) { values in
            let keys = UnsafeRawBufferPointer(values)
            return (0..<rows).map { (row: Int) -> [TopToken] in
                var tokens: [TopToken] = []
                for index in row * count..<(row + 1) * count where 8 * index < keys.count {
                    let key = keys.loadUnaligned(fromByteOffset: 8 * index, as: UInt64.self)
                    guard key > 0 else { break }
                    if let token = TopToken(key: key) { tokens.append(token) }
                }
                return tokens
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

/// Sums of the numerators exp(scale · (logit − largest)) of a row's softmax, as a device adds them up: in an order of its own, so
/// that they are near those of the host, but not equal.
package struct SoftmaxSums: Sendable, Hashable {
    /// The sum over all tokens.
    package let total: Float
    /// For each of the row's top tokens, largest logit first, the sum over the tokens with lower ids.
    package let before: [Float]
    /// How far a sum, or what the host adds up instead, can be off, as a part of ``total``.
    package let error: Double

    /// The sums of a row of `tokenCount` logits.
    package init(total: Float, before: [Float], tokenCount: Int) {
        self.total = total
        self.before = before
        error = Self.error(tokenCount: tokenCount)
    }

    /// A sum of n numbers ≥ 0 is off by less than n · 2⁻²⁴ of itself, and no sum has more numbers than a block, a lane's blocks and
    /// the lanes together; numerators by some 2⁻²², of either side. Twice that is certain.
    private static func error(tokenCount: Int) -> Double {
        let blocks = (tokenCount + TopTokenBuffers.blockLength - 1) / TopTokenBuffers.blockLength
        return 2 * Double(TopTokenBuffers.blockLength + blocks / lanes + 1 + 16 + 8) * 0x1p-24
    }

    /// Lanes that share a row's blocks, at least.
    private static let lanes = 128
}
