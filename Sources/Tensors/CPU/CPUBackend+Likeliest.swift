// Finding the likeliest tokens of rows of logits on the CPU.

extension CPUBackend {
    package func findLikeliest(
        _ logits: Activations, rows: Int, of tokenCount: Int, hasMaxima: Bool, into likeliest: LikeliestTokens
    ) {
        let levels = LikeliestTokens.levels(of: tokenCount)
        let length = LikeliestTokens.blockLength
        if !hasMaxima {
            takeMaxima(logits, rows: rows, of: tokenCount, into: likeliest.maxima)
        } else if tokenCount % length > 0 {
            // The product took outputs into account that stand for no token.
            let block = tokenCount / length
            for row in 0..<rows {
                kernels.maxima(
                    tokenCount % length, logits.row(row) + block * length, into: likeliest.maxima.row(row) + block)
            }
        }
        forEachRange(rows, cost: 4 * length * likeliest.count) { range in
            for row in range {
                search(
                    logits.row(row), levels, likeliest.maxima.row(row), count: likeliest.count,
                    into: likeliest.keys.row(row))
            }
        }
    }

    /// The maxima of all rows' blocks; threads share out the blocks, so that a single row occupies all of them.
    private func takeMaxima(_ logits: Activations, rows: Int, of tokenCount: Int, into maxima: Activations) {
        let length = LikeliestTokens.blockLength
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

    /// Writes the keys of a row's `count` likeliest tokens, given the maxima of its blocks.
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
        let length = LikeliestTokens.blockLength
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
