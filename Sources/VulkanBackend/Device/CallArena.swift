// Memory for the structures that Vulkan calls point to.

/// Keeps values at fixed addresses until it is gone.
final class CallArena {
    private var release: [() -> Void] = []

    /// The address of a copy of `value`, after `fill` has set it up.
    func pointer<T>(_ value: T, _ fill: (inout T) -> Void = { _ in }) -> UnsafeMutablePointer<T> {
        let pointer = UnsafeMutablePointer<T>.allocate(capacity: 1)
        pointer.initialize(to: value)
        release.append { pointer.deallocate() }
        fill(&pointer.pointee)
        return pointer
    }

    /// The address of a copy of the elements.
    func array<T>(_ elements: [T]) -> UnsafeMutablePointer<T> {
        let pointer = UnsafeMutablePointer<T>.allocate(capacity: max(1, elements.count))
        pointer.initialize(from: elements, count: elements.count)
        release.append { pointer.deallocate() }
        return pointer
    }

    /// The address of a copy of the text, ended by a zero.
    func string(_ text: String) -> UnsafePointer<CChar>? {
        UnsafePointer(array(text.utf8.map { CChar(bitPattern: $0) } + [0]))
    }

    deinit { for release in release { release() } }
}
