// The search for the top tokens of rows of logits on the CPU.

extension CPUBackend {
    package func findTopTokens(
        _ logits: Activations, rows: Int, of tokenCount: Int, hasMaxima: Bool, into topTokens: TopTokenBuffers
    ) {
        let levels = TopTokenBuffers.levels(of: tokenCount)
        let length = TopTokenBuffers.blockLength
        if !hasMaxima {
            takeMaxima(logits, rows: rows, of: tokenCount, into: topTokens.maxima)
        } else if tokenCount % length > 0 {
            // The product included outputs beyond the last token in the maximum of the last block.
            let block = tokenCount / length
            for row in 0..<rows {
                kernels.maxima(
                    tokenCount % length, logits.row(row) + block * length, into: topTokens.maxima.row(row) + block)
            }
        }
        forEachRange(rows, cost: 4 * length * topTokens.count) { range in
            for row in range {
                search(
                    logits.row(row), levels, topTokens.maxima.row(row), count: topTokens.count,
                    into: topTokens.keys.row(row))
            }
        }
    }

    /// Computes the maxima of all blocks of all rows. Threads divide the blocks, so that a single row occupies all
    /// threads.
    private func takeMaxima(_ logits: Activations, rows: Int, of tokenCount: Int, into maxima: Activations) {
        let length = TopTokenBuffers.blockLength
        let blocks = (tokenCount + length - 1) / length
        forEachRange(rows * blocks, cost: length) { range in
            var left = range
            while let next = left.first {
                let (row, block) = next.quotientAndRemainder(dividingBy: blocks)
                let count = min(left.count, blocks - block)
                kernels.maxima(
                    min(count * length, tokenCount - block * length), logits.row(row) + block * length,
                    into: maxima.row(row) + block)
                left.removeFirst(count)
            }
        }
    }

    /// Writes the keys of a row's `count` top tokens, given the maxima of its blocks.
    private func search(
        _ logits: UnsafeMutablePointer<Float>, _ levels: [Int], _ maxima: UnsafeMutablePointer<Float>, count: Int,
        into keys: UnsafeMutablePointer<Float>
    ) {
        var values = [UnsafePointer(logits)]
        var next = maxima
        for level in levels.indices.dropFirst() {
            if level > 1 { kernels.maxima(levels[level - 1], values[level - 1], into: next) }
            values.append(next)
            next += levels[level]
        }
        let length = TopTokenBuffers.blockLength
        UnsafeMutableRawPointer(keys).withMemoryRebound(to: UInt64.self, capacity: count) { keys in
            withUnsafeTemporaryAllocation(of: Int.self, capacity: count) { blocks in
                var best = LargestValues(count, in: keys)
                best.take(values[levels.count - 1], 0..<levels[levels.count - 1])
                for level in levels.indices.dropLast().reversed() {
                    let blockCount = best.count
                    for place in 0..<blockCount { blocks[place] = best.index(at: place) }
                    best.removeAll()
                    for block in blocks[..<blockCount] {
                        best.take(values[level], block * length..<min((block + 1) * length, levels[level]))
                    }
                }
                best.fillUp()
            }
        }
    }
}

/// The largest `limit` of the values taken so far, with their indices, in the order of ``TopToken``, as keys in the
/// caller's memory.
struct LargestValues {
    private let keys: UnsafeMutablePointer<UInt64>
    private let limit: Int
    /// Number of values kept.
    private(set) var count = 0
    /// Smaller values are not taken; −∞ never is.
    private var bar = -Float.greatestFiniteMagnitude

    /// No values, with room for `limit`, which is at least one.
    init(_ limit: Int, in keys: UnsafeMutablePointer<UInt64>) {
        self.limit = limit
        self.keys = keys
    }

    /// The index of the value at `place`, which must be below ``count``; the largest value is at 0.
    func index(at place: Int) -> Int { Int(~UInt32(truncatingIfNeeded: keys[place])) }

    /// Takes the values with indices in `range`.
    mutating func take(_ values: UnsafePointer<Float>, _ range: Range<Int>) {
        // A comparison with NaN is false.
        for index in range where values[index] >= bar {
            insert(TopToken(token: Int32(truncatingIfNeeded: index), logit: values[index]))
        }
    }

    private mutating func insert(_ new: TopToken) {
        if count < limit { count += 1 } else if new.key < keys[limit - 1] { return }
        var place = count - 1
        while place > 0, keys[place - 1] < new.key {
            keys[place] = keys[place - 1]
            place -= 1
        }
        keys[place] = new.key
        if count == limit { bar = TopToken(key: keys[limit - 1])?.logit ?? bar }
    }

    /// Removes all values.
    mutating func removeAll() {
        count = 0
        bar = -Float.greatestFiniteMagnitude
    }

    /// Writes zero keys for the places without values.
    func fillUp() { (keys + count).update(repeating: 0, count: limit - count) }
}
