// What Vulkan's validation layer reports.

import Synchronization

/// Collects messages from whatever thread they come.
final class ValidationMessages: Sendable {
    private let messages = Mutex<[String]>([])

    func append(_ message: String) { messages.withLock { $0.append(message) } }

    /// All messages so far.
    var all: [String] { messages.withLock { $0 } }
}
