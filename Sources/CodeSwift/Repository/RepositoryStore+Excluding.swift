// Parts of the working tree that are not to be served.

import InferTokenizers

extension RepositoryStore {
    /// The segments without lines `lines`, counted from 1, of the file at `path`: lines that are being written, or that a
    /// prompt holds already. The store itself stays as it is.
    package func segments(excluding lines: ClosedRange<Int>, of path: String) -> [StoreSegment] {
        var (segments, place) = searchable(path)
        guard let (segment, positions, tokens) = place else { return segments }
        var line = 1
        for (position, token) in zip(positions, tokens) {
            let bytes = tokenizer.bytes(of: token)
            let breaks = bytes.count { $0 == UInt8(ascii: "\n") }
            // A line's break is its last byte; a token belongs to all lines it touches.
            let last = line + breaks - (bytes.last == UInt8(ascii: "\n") ? 1 : 0)
            if lines.overlaps(line...max(line, last)) { segments[segment].excluded.insert(position..<position + 1) }
            line += breaks
        }
        return segments
    }
}
