// The places of a word where one particular merge is possible.

/// Places in ascending order.
struct RankQueue {
    /// Whether the queue's rank is among those to be looked at.
    var isListed = false
    private var places: [Int32] = []
    private var head = 0
    private var strays = MinimumHeap()

    mutating func insert(_ place: Int32) {
        if let last = places.last, head < places.count, place < last {
            strays.insert(place)
        } else {
            places.append(place)
        }
    }

    mutating func popFirst() -> Int? {
        let first = head < places.count ? places[head] : nil
        if let stray = strays.minimum, stray <= first ?? .max {
            strays.removeMinimum()
            return Int(stray)
        }
        guard let first else {
            places.removeAll(keepingCapacity: true)
            head = 0
            return nil
        }
        head += 1
        return Int(first)
    }

    mutating func removeAll() {
        isListed = false
        places.removeAll(keepingCapacity: true)
        head = 0
        strays.removeAll()
    }
}
