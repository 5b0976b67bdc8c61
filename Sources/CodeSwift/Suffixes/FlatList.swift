// A growing array of plain values for inner loops.

/// A growing array that keeps its memory when it is emptied. It has no reference counting, no copy-on-write, and checks
/// indices by assertions only: the caller guarantees that they are valid.
struct FlatList<Element: BitwiseCopyable>: ~Copyable {
    private(set) var count = 0
    private var capacity: Int
    private var elements: UnsafeMutablePointer<Element>

    /// An empty list with memory for `capacity` elements.
    init(capacity: Int = 64) {
        self.capacity = max(capacity, 1)
        elements = .allocate(capacity: self.capacity)
    }

    /// A list that holds `element` `count` times.
    init(repeating element: Element, count: Int) {
        self.init(capacity: count)
        elements.initialize(repeating: element, count: count)
        self.count = count
    }

    deinit { elements.deallocate() }

    var isEmpty: Bool { count == 0 }

    subscript(index: Int) -> Element {
        get {
            assert(index >= 0 && index < count)
            return elements[index]
        }
        set {
            assert(index >= 0 && index < count)
            elements[index] = newValue
        }
    }

    mutating func append(_ element: Element) {
        if count == capacity { grow() }
        elements[count] = element
        count += 1
    }

    /// A pointer to the element at `index`; valid until the next `append`.
    func pointer(at index: Int) -> UnsafeMutablePointer<Element> { elements + index }

    /// Removes all elements from `index` on; keeps the memory.
    mutating func truncate(to index: Int = 0) { count = min(index, count) }

    private mutating func grow() {
        let larger = UnsafeMutablePointer<Element>.allocate(capacity: 2 * capacity)
        larger.update(from: elements, count: count)
        elements.deallocate()
        elements = larger
        capacity *= 2
    }
}
