// The files that git tracks, from its index file.

/// The paths of a git index, versions 2 to 4 (gitformat-index(5)).
struct GitIndex: Sendable {
    /// All paths, concatenated in ascending order. A path that ends with a slash stands for all files of a folder that
    /// a sparse index collapses.
    private var names: [UInt8] = []
    /// The end of each path in ``names``.
    private var ends: [Int] = []
    /// .gitignore files that are tracked, but may be absent in a sparse working tree.
    private var absentRules: Set<[UInt8]> = []
    /// Whether some paths are in another file or in an unknown extension.
    private(set) var isPartial = false

    /// Parses an index; nil if the bytes are not one.
    ///
    /// - Parameter hashSize: Size of an object name in bytes: 20, or 32 for SHA-256.
    init?(_ bytes: [UInt8], hashSize: Int) {
        func number(_ offset: Int, _ size: Int) -> Int? {
            guard offset + size <= bytes.count else { return nil }
            return bytes[offset..<offset + size].reduce(0) { $0 << 8 | Int($1) }
        }
        // An entry has ten 4-byte numbers, the object name and two bytes of flags before the path.
        let fixed = 40 + hashSize + 2
        guard bytes.starts(with: "DIRC".utf8), let version = number(4, 4), (2...4).contains(version),
            let count = number(8, 4), count <= bytes.count / fixed
        else { return nil }
        var offset = 12
        var previous: ArraySlice<UInt8> = []
        for _ in 0..<count {
            let start = offset
            guard let flags = number(offset + fixed - 2, 2) else { return nil }
            let isExtended = version >= 3 && flags & 0x4000 != 0
            guard let more = isExtended ? number(offset + fixed, 2) : 0 else { return nil }
            offset += isExtended ? fixed + 2 : fixed
            // In version 4, a path shares a prefix with the previous one.
            var shared: ArraySlice<UInt8> = []
            if version == 4 {
                guard let removed = Self.variableInteger(bytes, &offset), removed <= previous.count else { return nil }
                shared = previous.dropLast(removed)
            }
            guard offset < bytes.count, let end = bytes[offset...].firstIndex(of: 0) else { return nil }
            let name = shared + bytes[offset..<end]
            // In a split index, replacement entries have no names and come last.
            if !name.isEmpty {
                guard !name.lexicographicallyPrecedes(previous) else { return nil }
                names.append(contentsOf: name)
                ends.append(names.count)
                if more & 0x4000 != 0, Self.isRules(name) { absentRules.insert(Array(name)) }
                previous = name
            }
            // Before version 4, entries are padded with 1 to 8 zeros to a multiple of 8 bytes.
            offset = version == 4 ? end + 1 : start + (end - start + 8) / 8 * 8
        }
        while offset + 8 <= bytes.count - hashSize, let size = number(offset + 4, 4) {
            // Extensions in lower case must be understood. `sdir` says that entries may be folders.
            let name = bytes[offset..<offset + 4]
            if bytes[offset].uppercased != bytes[offset], !name.elementsEqual("sdir".utf8) { isPartial = true }
            offset += 8 + size
        }
    }

    private static func isRules(_ name: ArraySlice<UInt8>) -> Bool {
        let file = Array(".gitignore".utf8)
        return name.elementsEqual(file) || name.suffix(file.count + 1).elementsEqual([UInt8(ascii: "/")] + file)
    }

    /// Whether the .gitignore file of the folder at `path`, empty or with a trailing slash, may exist only in the
    /// index.
    func holdsRules(of path: [UInt8]) -> Bool {
        absentRules.contains(path + Array(".gitignore".utf8)) || !path.isEmpty && contains(path)
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

    /// Whether git tracks any file below the folder at `path`.
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
