// The largest of the values seen so far.

/// The largest `limit` values of those taken, with their indices, in the order of ``Candidate``, as keys in the caller's memory.
struct LargestValues {
    private let keys: UnsafeMutablePointer<UInt64>
    private let limit: Int
    /// How many there are.
    private(set) var count = 0
    /// What is below does not belong to them; −∞ never does.
    private var bar = -Float.greatestFiniteMagnitude

    /// None yet, and room for `limit`, at least one.
    init(_ limit: Int, in keys: UnsafeMutablePointer<UInt64>) {
        self.limit = limit
        self.keys = keys
    }

    /// The index of the value at `place`, which is below ``count``; the largest is at 0.
    func index(at place: Int) -> Int { Int(~UInt32(truncatingIfNeeded: keys[place])) }

    /// Takes the values of an index range.
    mutating func take(_ values: UnsafePointer<Float>, _ range: Range<Int>) {
        // A comparison with NaN is false.
        for index in range where values[index] >= bar {
            insert(Candidate(token: Int32(truncatingIfNeeded: index), logit: values[index]))
        }
    }

    private mutating func insert(_ new: Candidate) {
        if count < limit { count += 1 } else if new.key < keys[limit - 1] { return }
        var place = count - 1
        while place > 0, keys[place - 1] < new.key {
            keys[place] = keys[place - 1]
            place -= 1
        }
        keys[place] = new.key
        if count == limit { bar = Candidate(key: keys[limit - 1])?.logit ?? bar }
    }

    /// Forgets all values.
    mutating func removeAll() {
        count = 0
        bar = -Float.greatestFiniteMagnitude
    }

    /// Writes zeros where there are no values.
    func fillUp() { (keys + count).update(repeating: 0, count: limit - count) }
}
