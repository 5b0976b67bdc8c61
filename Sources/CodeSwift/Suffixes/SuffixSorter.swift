// Suffix sorting in linear time by induced sorting.

package import InferSupport

/// Sorts the suffixes of a text over an integer alphabet by induced sorting (Nong, Zhang & Chan, "Two Efficient
/// Algorithms for Linear Time Suffix Array Construction", 2009).
///
/// The end of the text compares smaller than every symbol. In addition to the text and the array, sorting needs at most
/// 4 bytes per symbol of the alphabet, 1 bit per position, and 2 bytes per position during recursion.
package enum SuffixSorter {
    /// The longest text that can be sorted: positions have 32 bits, and one bit serves as a mark.
    package static let maximumCount = Int(Int32.max) - 1

    /// Fills `suffixes` with the positions of `text` in the sorted order of the suffixes that start there.
    ///
    /// - Parameters:
    ///   - text: Symbols in 0..<`alphabet`.
    ///   - suffixes: Has the same length as the text.
    ///   - progress: Receives the fraction done, from 0 to 1, a few times. An error that it throws ends the work.
    /// - Throws: ``InferenceError`` with `invalidArgument` when the text is longer than ``maximumCount``, when the
    ///   lengths differ, or when a symbol is outside the alphabet.
    package static func sort<Symbol: FixedWidthInteger & UnsignedInteger>(
        _ text: UnsafeBufferPointer<Symbol>, alphabet: Int, into suffixes: UnsafeMutableBufferPointer<UInt32>,
        _ progress: (Double) throws(InferenceError) -> Void = { _ in }
    ) throws(InferenceError) {
        guard text.count <= maximumCount else {
            throw InferenceError(
                .invalidArgument,
                "a text of \(text.count) tokens is too long for one suffix array; the limit is \(maximumCount)")
        }
        guard suffixes.count == text.count, alphabet > 0, alphabet <= maximumCount else {
            throw InferenceError(
                .invalidArgument,
                "a suffix array of \(suffixes.count) entries over \(alphabet) symbols does not fit \(text.count) tokens"
            )
        }
        if let symbol = text.first(where: { Int($0) >= alphabet }) {
            throw InferenceError(.invalidArgument, "token \(symbol) lies outside the alphabet of \(alphabet)")
        }
        guard let symbols = text.baseAddress, let entries = suffixes.baseAddress else { return }
        try entries.withMemoryRebound(to: Int32.self, capacity: text.count) { entries throws(InferenceError) in
            try InducedSort(text: symbols, count: text.count, alphabet: alphabet, suffixes: entries).run(progress)
        }
    }
}

/// One level of the recursion: sorts the suffixes of one text. The names of its LMS substrings form a shorter text,
/// which is sorted in the same way.
///
/// A suffix has type S if it is smaller than the next suffix, otherwise type L. It is LMS ("leftmost S") if it has type
/// S and its predecessor has type L. During sorting, an array entry is one of these: 0, nothing to induce; a positive
/// position, whose predecessor still has to be placed in the current direction; the complement of a position, which is
/// finished in the current direction.
struct InducedSort<Symbol: FixedWidthInteger> {
    let text: UnsafePointer<Symbol>
    let count: Int
    let alphabet: Int
    let suffixes: UnsafeMutablePointer<Int32>

    /// Fills ``suffixes`` and reports the fraction done.
    func run(_ progress: (Double) throws(InferenceError) -> Void = { _ in }) throws(InferenceError) {
        guard count > 1 else {
            if count == 1 { suffixes[0] = 0 }
            return
        }
        let leftmost = BitSet(count: count)
        let leftmostCount = markLeftmost(leftmost)
        sortLeftmostSubstrings(leftmost)
        try progress(0.35)
        let names = nameSubstrings(leftmost, leftmostCount)
        try progress(0.5)
        if names < leftmostCount { try sortNames(leftmost, leftmostCount, names) }
        try progress(0.75)
        placeSortedLeftmost(leftmostCount)
    }

    private func symbol(_ position: Int) -> Int { Int(truncatingIfNeeded: text[position]) }

    /// Marks the LMS positions and returns their number.
    private func markLeftmost(_ leftmost: BitSet) -> Int {
        var found = 0
        var next = symbol(count - 1)
        var nextIsS = false
        for position in stride(from: count - 2, through: 0, by: -1) {
            let current = symbol(position)
            let isS = current < next || (current == next && nextIsS)
            if nextIsS, !isS {
                leftmost.insert(position + 1)
                found += 1
            }
            nextIsS = isS
            next = current
        }
        return found
    }

    /// Sets `buckets` to the first index of each symbol's bucket, or to the index after its last.
    private func locateBuckets(_ buckets: UnsafeMutablePointer<Int32>, ends: Bool) {
        buckets.update(repeating: 0, count: alphabet)
        for position in 0..<count { buckets[symbol(position)] &+= 1 }
        var sum: Int32 = 0
        for symbol in 0..<alphabet {
            let size = buckets[symbol]
            sum &+= size
            buckets[symbol] = ends ? sum : sum &- size
        }
    }

    /// Sorts the LMS positions by the substrings up to the next LMS position. Leaves ``suffixes`` in the induced order.
    private func sortLeftmostSubstrings(_ leftmost: BitSet) {
        let buckets = UnsafeMutablePointer<Int32>.allocate(capacity: alphabet)
        defer { buckets.deallocate() }
        suffixes.update(repeating: 0, count: count)
        locateBuckets(buckets, ends: true)
        leftmost.forEachDescending { position in
            let bucket = symbol(position)
            buckets[bucket] &-= 1
            suffixes[Int(buckets[bucket])] = Int32(truncatingIfNeeded: position)
        }
        induce(buckets)
    }

    /// Moves the LMS positions to the front in sorted order and numbers their distinct substrings in that order. Leaves
    /// these numbers, in text order, at the end of ``suffixes``. Returns the number of distinct substrings.
    private func nameSubstrings(_ leftmost: BitSet, _ leftmostCount: Int) -> Int {
        var front = 0
        for index in 0..<count {
            let position = suffixes[index]
            if leftmost.contains(Int(position)) {
                suffixes[front] = position
                front += 1
            }
        }
        // LMS positions are at least two apart, so half of a position is a unique slot after the front part.
        let slots = suffixes + leftmostCount
        slots.update(repeating: 0, count: count - leftmostCount)
        var end = count
        leftmost.forEachDescending { position in
            // The substring includes the LMS position at its end; the last one ends with the text.
            slots[position >> 1] = Int32(truncatingIfNeeded: min(end, count - 1) &- position &+ 1)
            end = position
        }
        var names: Int32 = 0
        var previous = 0
        var previousLength = 0
        for index in 0..<leftmostCount {
            let position = Int(suffixes[index])
            let length = Int(slots[position >> 1])
            if length != previousLength || !hasEqualSymbols(previous, position, length) {
                names &+= 1
                previous = position
                previousLength = length
            }
            slots[position >> 1] = names
        }
        if names < leftmostCount {
            var target = count
            for slot in stride(from: (count - 1) >> 1, through: 0, by: -1) where slots[slot] != 0 {
                target -= 1
                suffixes[target] = slots[slot] &- 1
            }
        }
        return Int(names)
    }

    /// Whether the substrings of `length` symbols at two positions are equal. The last LMS substring ends with the end
    /// of the text, which differs from every symbol.
    private func hasEqualSymbols(_ first: Int, _ second: Int, _ length: Int) -> Bool {
        guard first + length < count, second + length < count else { return false }
        for offset in 0..<length where text[first + offset] != text[second + offset] { return false }
        return true
    }

    /// Sorts the text of names, which gives the order of the LMS suffixes, and maps names back to positions.
    private func sortNames(_ leftmost: BitSet, _ leftmostCount: Int, _ names: Int) throws(InferenceError) {
        let reduced = suffixes + (count - leftmostCount)
        try InducedSort<Int32>(text: reduced, count: leftmostCount, alphabet: names, suffixes: suffixes).run()
        var target = leftmostCount
        leftmost.forEachDescending { position in
            target -= 1
            reduced[target] = Int32(truncatingIfNeeded: position)
        }
        for index in 0..<leftmostCount { suffixes[index] = reduced[Int(suffixes[index])] }
    }

    /// Moves the sorted LMS positions from the front to the ends of their buckets and induces all other suffixes.
    private func placeSortedLeftmost(_ leftmostCount: Int) {
        let buckets = UnsafeMutablePointer<Int32>.allocate(capacity: alphabet)
        defer { buckets.deallocate() }
        suffixes.advanced(by: leftmostCount).update(repeating: 0, count: count - leftmostCount)
        locateBuckets(buckets, ends: true)
        for index in stride(from: leftmostCount - 1, through: 0, by: -1) {
            let position = suffixes[index]
            suffixes[index] = 0
            let bucket = symbol(Int(position))
            buckets[bucket] &-= 1
            suffixes[Int(buckets[bucket])] = position
        }
        induce(buckets)
    }

    /// Places all L suffixes in a scan from left to right, each when the scan reaches its successor; then all S
    /// suffixes in a scan from right to left.
    private func induce(_ buckets: UnsafeMutablePointer<Int32>) {
        locateBuckets(buckets, ends: false)
        // The end of the text is the smallest suffix, so its predecessor comes first.
        place(count - 1, ascendingIn: buckets)
        for index in 0..<count {
            let entry = suffixes[index]
            suffixes[index] = ~entry
            if entry > 0 { place(Int(entry) &- 1, ascendingIn: buckets) }
        }
        locateBuckets(buckets, ends: true)
        for index in stride(from: count - 1, through: 0, by: -1) {
            let entry = suffixes[index]
            guard entry > 0 else {
                suffixes[index] = ~entry
                continue
            }
            let position = Int(entry) &- 1
            let bucket = symbol(position)
            buckets[bucket] &-= 1
            // A predecessor of type L is already placed.
            let isLast = position == 0 || symbol(position &- 1) > bucket
            suffixes[Int(buckets[bucket])] = Int32(truncatingIfNeeded: isLast ? ~position : position)
        }
    }

    private func place(_ position: Int, ascendingIn buckets: UnsafeMutablePointer<Int32>) {
        let bucket = symbol(position)
        // A predecessor of type S is placed in the other direction.
        let isLast = position > 0 && symbol(position &- 1) < bucket
        suffixes[Int(buckets[bucket])] = Int32(truncatingIfNeeded: isLast ? ~position : position)
        buckets[bucket] &+= 1
    }
}

/// A set of integers in 0..<count, one bit each. `insert` ignores values outside the range, which a damaged file may
/// contain.
final class BitSet {
    private let count: Int
    private let words: UnsafeMutablePointer<UInt64>
    private let wordCount: Int

    init(count: Int) {
        self.count = count
        wordCount = (count + 63) / 64
        words = .allocate(capacity: wordCount)
        words.initialize(repeating: 0, count: wordCount)
    }

    deinit { words.deallocate() }

    func insert(_ member: Int) {
        guard member >= 0, member < count else { return }
        words[member >> 6] |= 1 << UInt64(member & 63)
    }

    func contains(_ member: Int) -> Bool {
        member >= 0 && member < count && words[member >> 6] >> UInt64(member & 63) & 1 == 1
    }

    /// Calls `body` with each member in descending order.
    func forEachDescending(_ body: (Int) -> Void) {
        for index in stride(from: wordCount - 1, through: 0, by: -1) {
            var word = words[index]
            while word != 0 {
                let bit = 63 - word.leadingZeroBitCount
                body(index << 6 | bit)
                word ^= 1 << UInt64(bit)
            }
        }
    }
}
