// The files git tracks, from its index file.

/// Paths of a git index, versions 2 to 4 (gitformat-index(5)), for repositories with SHA-1 names.
struct GitIndex: Sendable {
    /// All paths, one after the other, in ascending order.
    private var names: [UInt8] = []
    /// Where each path ends.
    private var ends: [Int] = []

    /// Reads an index; nil when the bytes are not one.
    init?(_ bytes: [UInt8]) {
        func number(_ offset: Int, _ size: Int) -> Int? {
            guard offset + size <= bytes.count else { return nil }
            return bytes[offset..<offset + size].reduce(0) { $0 << 8 | Int($1) }
        }
        guard bytes.starts(with: "DIRC".utf8), let version = number(4, 4), (2...4).contains(version),
            let count = number(8, 4), count <= bytes.count / 62
        else { return nil }
        var offset = 12
        for _ in 0..<count {
            let start = offset
            guard let flags = number(offset + 60, 2) else { return nil }
            offset += version >= 3 && flags & 0x4000 != 0 ? 64 : 62
            // Version 4 shares the beginning of the path before.
            var shared: ArraySlice<UInt8> = []
            if version == 4 {
                let previous = ends.isEmpty ? [] : name(ends.count - 1)
                guard let removed = Self.variableInteger(bytes, &offset), removed <= previous.count else { return nil }
                shared = previous.dropLast(removed)
            }
            guard offset < bytes.count, let end = bytes[offset...].firstIndex(of: 0) else { return nil }
            names.append(contentsOf: shared)
            names.append(contentsOf: bytes[offset..<end])
            ends.append(names.count)
            // Before version 4 entries are padded with 1 to 8 zeros to a multiple of 8.
            offset = version == 4 ? end + 1 : start + (end - start + 8) / 8 * 8
        }
    }

    private func name(_ index: Int) -> ArraySlice<UInt8> { names[(index == 0 ? 0 : ends[index - 1])..<ends[index]] }

    /// The offset encoding of gitformat-pack(5).
    private static func variableInteger(_ bytes: [UInt8], _ offset: inout Int) -> Int? {
        var value = 0
        for step in 0..<5 {
            guard offset < bytes.count else { return nil }
            let byte = bytes[offset]
            offset += 1
            if step > 0 { value += 1 }
            value = value << 7 | Int(byte & 0x7F)
            if byte & 0x80 == 0 { return value }
        }
        return nil
    }

    /// Whether git tracks the file at `path`.
    func contains(_ path: [UInt8]) -> Bool {
        let index = firstIndex(notBefore: path)
        return index < ends.count && name(index).elementsEqual(path)
    }

    /// Whether git tracks any file in the folder at `path`.
    func containsFiles(below path: [UInt8]) -> Bool {
        let prefix = path + [UInt8(ascii: "/")]
        let index = firstIndex(notBefore: prefix)
        return index < ends.count && name(index).starts(with: prefix)
    }

    private func firstIndex(notBefore path: [UInt8]) -> Int {
        var lower = 0
        var upper = ends.count
        while lower < upper {
            let middle = (lower + upper) / 2
            if name(middle).lexicographicallyPrecedes(path) { lower = middle + 1 } else { upper = middle }
        }
        return lower
    }
}
