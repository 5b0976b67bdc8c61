// Text that records which of its bytes come from the template and which from input values.

/// Text in UTF-8 that records where its bytes come from. Text of the template can spell control tokens; input, such as a user's
/// message, cannot. The record is kept through slices, concatenation and filters.
package struct TemplateText: Hashable, Sendable {
    /// Where the bytes come from.
    package enum Origin: Hashable, Sendable {
        case template
        case input
        /// The ranges that come from input. They are in order, not empty, and neither touch nor overlap; other bytes come from the
        /// template.
        case mixed([Range<Int>])
    }

    /// The text in UTF-8.
    package private(set) var bytes: [UInt8]
    /// Where the bytes come from.
    package private(set) var origin: Origin
    /// Whether the text is marked as safe HTML (`|safe`): it then escapes what is joined to it with `+`.
    var isMarkup = false

    /// Text of one origin; by default the template's.
    package init(_ text: String = "", isInput: Bool = false) { self.init(bytes: Array(text.utf8), isInput: isInput) }

    init(bytes: [UInt8], isInput: Bool) {
        self.bytes = bytes
        origin = isInput && !bytes.isEmpty ? .input : .template
    }

    /// The ranges of bytes that come from input, in order.
    package var inputRanges: [Range<Int>] {
        switch origin {
        case .template: []
        case .input: bytes.isEmpty ? [] : [0..<bytes.count]
        case .mixed(let ranges): ranges
        }
    }

    /// The text as a string.
    package var string: String { String(decoding: bytes, as: UTF8.self) }

    package static func == (one: TemplateText, other: TemplateText) -> Bool { one.bytes == other.bytes }
    package func hash(into hasher: inout Hasher) { hasher.combine(bytes) }

    /// The bytes of `range`.
    subscript(range: Range<Int>) -> TemplateText {
        if range.count == bytes.count { return self }
        var part = TemplateText(bytes: Array(bytes[range]), isInput: origin == .input)
        part.isMarkup = isMarkup
        if case .mixed(let ranges) = origin {
            var clamped: [Range<Int>] = []
            for other in ranges[ranges.firstIndex(after: range.lowerBound)...] {
                guard other.lowerBound < range.upperBound else { break }
                let both = other.clamped(to: range)
                clamped.append(both.lowerBound - range.lowerBound..<both.upperBound - range.lowerBound)
            }
            part.setOrigin(clamped)
        }
        return part
    }

    /// Whether any byte of `range` comes from input.
    func hasInput(in range: Range<Int>) -> Bool {
        switch origin {
        case .template: return false
        case .input: return !range.isEmpty
        case .mixed(let ranges):
            let index = ranges.firstIndex(after: range.lowerBound)
            return index < ranges.count && ranges[index].lowerBound < range.upperBound
        }
    }

    /// Whether any byte comes from input.
    var hasInput: Bool { hasInput(in: 0..<bytes.count) }

    fileprivate mutating func setOrigin(_ ranges: [Range<Int>]) {
        if ranges.isEmpty {
            origin = .template
        } else if ranges[0] == 0..<bytes.count {
            origin = .input
        } else {
            origin = .mixed(ranges)
        }
    }

    fileprivate init(bytes: [UInt8], ranges: [Range<Int>]) {
        self.bytes = bytes
        origin = .template
        setOrigin(ranges)
    }
}

extension [Range<Int>] {
    /// The index of the first range that ends after `offset`.
    fileprivate func firstIndex(after offset: Int) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if self[middle].upperBound > offset { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

// MARK: Building

/// Builds a text of limited size piece by piece. What goes beyond the limit is dropped, and `isFull` is set.
struct TextBuilder {
    private(set) var bytes: [UInt8] = []
    private var ranges: [Range<Int>] = []
    private let limit: Int
    private(set) var isFull = false

    init(limit: Int) { self.limit = limit }

    var text: TemplateText { TemplateText(bytes: bytes, ranges: ranges) }

    mutating func append(_ text: TemplateText) { append(text, 0..<text.bytes.count) }

    /// Appends the bytes of `range` in `text`.
    mutating func append(_ text: TemplateText, _ range: Range<Int>) {
        guard hasRoom(for: range.count) else { return }
        let start = bytes.count
        bytes += text.bytes[range]
        switch text.origin {
        case .template: break
        case .input: note(start..<bytes.count)
        case .mixed(let others):
            for other in others[others.firstIndex(after: range.lowerBound)...] {
                guard other.lowerBound < range.upperBound else { break }
                let both = other.clamped(to: range)
                note(both.lowerBound - range.lowerBound + start..<both.upperBound - range.lowerBound + start)
            }
        }
    }

    mutating func append(_ new: some Collection<UInt8>, isInput: Bool = false) {
        guard hasRoom(for: new.count) else { return }
        let start = bytes.count
        bytes += new
        if isInput { note(start..<bytes.count) }
    }

    mutating func append(_ string: String, isInput: Bool = false) { append(string.utf8, isInput: isInput) }

    mutating func append(_ scalar: Unicode.Scalar, isInput: Bool) {
        guard hasRoom(for: 4) else { return }
        let start = bytes.count
        bytes += UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter
        if isInput { note(start..<bytes.count) }
    }

    private mutating func hasRoom(for count: Int) -> Bool {
        if bytes.count + count > limit { isFull = true }
        return !isFull
    }

    private mutating func note(_ range: Range<Int>) {
        guard !range.isEmpty else { return }
        if let last = ranges.last, last.upperBound == range.lowerBound {
            ranges[ranges.count - 1] = last.lowerBound..<range.upperBound
        } else {
            ranges.append(range)
        }
    }
}

// MARK: Scalars

extension TemplateText {
    /// The Unicode scalars with the ranges of their bytes.
    struct Scalars: Sequence, IteratorProtocol {
        private let bytes: [UInt8]
        private var position: Int
        private let end: Int

        init(_ text: TemplateText, _ range: Range<Int>? = nil) {
            bytes = text.bytes
            position = range?.lowerBound ?? 0
            end = range?.upperBound ?? bytes.count
        }

        mutating func next() -> (scalar: Unicode.Scalar, range: Range<Int>)? {
            guard position < end else { return nil }
            let start = position
            let first = bytes[position]
            position = Swift.min(position + TemplateText.scalarLength(first), end)
            if first < 0x80 { return (Unicode.Scalar(first), start..<position) }
            var value = UInt32(first) & (0xFF >> UInt32(position - start + 1))
            for byte in bytes[start + 1..<position] { value = value << 6 | UInt32(byte & 0x3F) }
            return (Unicode.Scalar(value) ?? "\u{FFFD}", start..<position)
        }
    }

    /// The scalars of the text. The bytes are always valid UTF-8, because they come from strings.
    var scalars: Scalars { Scalars(self) }

    static func scalarLength(_ first: UInt8) -> Int { first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4 }

    /// The number of scalars, which is Python's length.
    var count: Int { bytes.count { $0 & 0xC0 != 0x80 } }

    private var isASCII: Bool { bytes.allSatisfy { $0 < 0x80 } }

    /// The byte offsets at which scalars begin, and the end.
    var offsets: [Int] { bytes.indices.filter { bytes[$0] & 0xC0 != 0x80 } + [bytes.count] }

    /// The byte offset of the scalar at `index`, which is at most the count.
    func offset(of index: Int) -> Int {
        if isASCII { return index }
        var rest = index
        for (offset, byte) in bytes.enumerated() where byte & 0xC0 != 0x80 {
            if rest == 0 { return offset }
            rest -= 1
        }
        return bytes.count
    }

    /// The range of the text without scalars that satisfy `strips` at its sides.
    func trimmedRange(
        left: Bool = true, right: Bool = true, where strips: (Unicode.Scalar) -> Bool = { $0.isPythonSpace }
    ) -> Range<Int> {
        var start = 0
        var end = bytes.count
        if left {
            for (scalar, range) in scalars {
                guard strips(scalar) else { break }
                start = range.upperBound
            }
        }
        while right, end > start {
            var first = end - 1
            while first > start, bytes[first] & 0xC0 == 0x80 { first -= 1 }
            guard let (scalar, _) = Scalars(self, first..<end).first(where: { _ in true }), strips(scalar) else {
                break
            }
            end = first
        }
        return start..<end
    }

    /// The text with each scalar replaced by `transform` of it.
    func mapped(limit: Int, _ transform: (Unicode.Scalar) -> String) -> TextBuilder {
        var result = TextBuilder(limit: limit)
        for (scalar, range) in scalars { result.append(transform(scalar), isInput: hasInput(in: range)) }
        return result
    }

    /// The first occurrence of `pattern`, which is not empty, that begins at or after `start` and ends at or before `end`.
    func firstRange(of pattern: [UInt8], from start: Int = 0, to end: Int? = nil) -> Range<Int>? {
        let end = end ?? bytes.count
        guard let first = pattern.first, start <= end else { return nil }
        if pattern.count > 8 { return knuthMorrisPratt(pattern, in: start..<end, wantsLast: false) }
        return bytes.withUnsafeBufferPointer { bytes in
            var index = start
            while index + pattern.count <= end {
                if bytes[index] == first, bytes[index..<index + pattern.count].elementsEqual(pattern) {
                    return index..<index + pattern.count
                }
                index += 1
            }
            return nil
        }
    }

    /// The last occurrence of `pattern`, which is not empty, that begins at or after `start` and ends at or before `end`.
    func lastRange(of pattern: [UInt8], from start: Int = 0, to end: Int? = nil) -> Range<Int>? {
        let end = end ?? bytes.count
        guard let first = pattern.first, start <= end else { return nil }
        if pattern.count > 8 { return knuthMorrisPratt(pattern, in: start..<end, wantsLast: true) }
        var index = end - pattern.count
        while index >= start {
            if bytes[index] == first, bytes[index..<index + pattern.count].elementsEqual(pattern) {
                return index..<index + pattern.count
            }
            index -= 1
        }
        return nil
    }

    /// An occurrence of `pattern` in `range` in linear time, so that a hostile pattern cannot stall the search.
    private func knuthMorrisPratt(_ pattern: [UInt8], in range: Range<Int>, wantsLast: Bool) -> Range<Int>? {
        // The length of the longest proper prefix of pattern[...i] that is also its suffix.
        var borders = [Int](repeating: 0, count: pattern.count)
        var length = 0
        for index in pattern.indices.dropFirst() {
            while length > 0, pattern[index] != pattern[length] { length = borders[length - 1] }
            if pattern[index] == pattern[length] { length += 1 }
            borders[index] = length
        }
        var found: Range<Int>?
        length = 0
        for index in range {
            while length > 0, bytes[index] != pattern[length] { length = borders[length - 1] }
            if bytes[index] == pattern[length] { length += 1 }
            guard length == pattern.count else { continue }
            found = index + 1 - length..<index + 1
            if !wantsLast { return found }
            length = borders[length - 1]
        }
        return found
    }
}

extension Unicode.Scalar {
    /// Whether Python's `str.isspace` holds.
    var isPythonSpace: Bool {
        switch value {
        case 0x09...0x0D, 0x1C...0x20, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000: true
        default: false
        }
    }

    /// Whether the scalar ends a line for Python's `str.splitlines`.
    var isPythonLineBreak: Bool {
        switch value {
        case 0x0A...0x0D, 0x1C...0x1E, 0x85, 0x2028, 0x2029: true
        default: false
        }
    }

    /// Whether the scalar belongs to a word, as `\w` of Python.
    var isWord: Bool {
        if isASCII { return value == 0x5F || properties.isAlphabetic || (0x30...0x39).contains(value) }
        return properties.isAlphabetic || properties.numericType != nil
    }
}
