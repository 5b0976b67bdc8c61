// A sum of bytes that several threads change.

import Synchronization

/// The bytes of objects that exist.
package final class ByteCounter: Sendable {
    private let sum = Atomic(0)

    /// No bytes.
    init() {}

    /// The bytes.
    package var value: Int { sum.load(ordering: .relaxed) }

    /// Adds the bytes of an object, or takes them away.
    func add(_ count: Int) { sum.add(count, ordering: .relaxed) }
}
