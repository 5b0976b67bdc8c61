// The messages of the Language Server Protocol in a stream of bytes (LSP 3.18, "Base Protocol").

#if Server

import Dispatch
package import InferSupport

/// Messages in both directions.
package enum MessageStream {
    /// The contents of the messages that arrive at a descriptor. They are read on a thread of their own. The stream ends with the
    /// input, or at a message that cannot be told from the next one, of which `fail` is told.
    package static func messages(
        from descriptor: Int32, fail: @escaping @Sendable (InferenceError) -> Void
    ) -> AsyncStream<[UInt8]> {
        AsyncStream { continuation in
            DispatchQueue(label: "swiftinfer.messages").async {
                var framer = MessageFramer()
                var buffer = [UInt8](repeating: 0, count: 1 << 16)
                defer { continuation.finish() }
                while true {
                    let count = read(descriptor, &buffer, buffer.count)
                    if count < 0, errno == EINTR { continue }
                    guard count > 0 else { return }
                    framer.append(buffer[..<count])
                    do throws(InferenceError) {
                        while let message = try framer.next() { continuation.yield(message) }
                    } catch {
                        return fail(error)
                    }
                }
            }
        }
    }

    /// A message with its header.
    package static func frame(_ message: JSONValue) -> [UInt8] {
        let content = Array(message.description.utf8)
        return Array("Content-Length: \(content.count)\r\n\r\n".utf8) + content
    }
}

/// Cuts a stream of bytes into messages. Each has a header with its length.
package struct MessageFramer {
    private var bytes: [UInt8] = []

    private static let maximumHeader = 8 << 10
    private static let maximumContent = 64 << 20

    /// A stream of which nothing has arrived.
    package init() {}

    /// Adds bytes that have arrived.
    package mutating func append(_ more: some Sequence<UInt8>) { bytes += more }

    /// The content of the next message; nil until it is complete.
    ///
    /// - Throws: `invalidArgument` for a header without a usable length. The stream cannot be read any further then.
    package mutating func next() throws(InferenceError) -> [UInt8]? {
        let end = Array("\r\n\r\n".utf8)
        let searched = bytes.prefix(Self.maximumHeader + end.count)
        guard let header = searched.indices.first(where: { searched[$0...].starts(with: end) }) else {
            guard bytes.count <= Self.maximumHeader else {
                throw InferenceError(
                    .invalidArgument, "the header of a message is longer than \(Self.maximumHeader) bytes")
            }
            return nil
        }
        let start = header + end.count
        let length = try contentLength(String(decoding: bytes[..<header], as: UTF8.self))
        guard bytes.count >= start + length else { return nil }
        defer { bytes.removeFirst(start + length) }
        return Array(bytes[start..<start + length])
    }

    private func contentLength(_ header: String) throws(InferenceError) -> Int {
        for line in header.split(separator: "\r\n") {
            let parts = line.split(separator: ":", maxSplits: 1).map { $0.trimming { $0.isWhitespace } }
            guard parts.count == 2, parts[0].lowercased() == "content-length" else { continue }
            guard let length = Int(parts[1]), (0...Self.maximumContent).contains(length) else { break }
            return length
        }
        throw InferenceError(.invalidArgument, "the header of a message has no usable Content-Length")
    }
}

extension Substring {
    /// The text without characters at both ends for which `predicate` holds.
    fileprivate func trimming(_ predicate: (Character) -> Bool) -> Substring {
        var text = self.drop(while: predicate)
        while let last = text.last, predicate(last) { text.removeLast() }
        return text
    }
}

#endif
