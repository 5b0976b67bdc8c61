// A binary heap of integers.

/// Integers of which the smallest is at hand.
struct MinimumHeap {
    private var items: [Int32] = []

    var minimum: Int32? { items.first }

    mutating func insert(_ item: Int32) {
        var index = items.count
        items.append(item)
        while index > 0 {
            let parent = (index - 1) / 2
            guard items[parent] > item else { break }
            items[index] = items[parent]
            index = parent
        }
        items[index] = item
    }

    mutating func removeMinimum() {
        guard let item = items.popLast(), !items.isEmpty else { return }
        var index = 0
        while true {
            var child = 2 * index + 1
            guard child < items.count else { break }
            if child + 1 < items.count, items[child + 1] < items[child] { child += 1 }
            guard items[child] < item else { break }
            items[index] = items[child]
            index = child
        }
        items[index] = item
    }

    mutating func removeAll() { items.removeAll(keepingCapacity: true) }
}
