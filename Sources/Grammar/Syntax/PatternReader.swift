// Reads the source of a grammar or a regular expression character by character.

import InferSupport

/// The characters of a source, with a place among them.
struct PatternReader {
    private let scalars: [Unicode.Scalar]
    /// What the source is, for messages.
    private let name: String
    /// The number of characters that have been read.
    private(set) var position = 0

    /// A reader at the beginning of `source`.
    ///
    /// - Throws: `invalidArgument` if the source is too long.
    init(_ source: String, _ name: String, _ limits: GrammarLimits) throws(InferenceError) {
        guard source.utf8.count <= limits.sourceLength else {
            throw InferenceError(
                .invalidArgument,
                "\(name) has \(source.utf8.count) bytes, more than the limit of \(limits.sourceLength)")
        }
        scalars = Array(source.unicodeScalars)
        self.name = name
    }

    /// The character at this place; nil at the end.
    var current: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }

    /// The character after it.
    var next: Unicode.Scalar? { position + 1 < scalars.count ? scalars[position + 1] : nil }

    /// Goes on by one character.
    mutating func advance() { if position < scalars.count { position += 1 } }

    /// Goes on behind `text` if it is here.
    mutating func take(_ text: String) -> Bool {
        guard scalars[position...].starts(with: text.unicodeScalars) else { return false }
        position += text.unicodeScalars.count
        return true
    }

    /// The number that is written here.
    mutating func count() throws(InferenceError) -> Int {
        let place = position
        var count = 0
        while let scalar = current, ("0"..."9").contains(scalar) {
            count = count * 10 + Int(scalar.value - 0x30)
            advance()
            guard count < 1_000_000_000 else { throw fault("the count is too large", at: place) }
        }
        guard position > place else { throw unexpected("a number") }
        return count
    }

    /// The character whose value is written here in so many hexadecimal digits.
    ///
    /// - Parameter place: Where the escape begins.
    mutating func hexadecimal(_ digits: Int, at place: Int) throws(InferenceError) -> Unicode.Scalar {
        var value: UInt32 = 0
        for _ in 0..<digits {
            guard let digit = current.flatMap({ Character($0).hexDigitValue }), current?.isASCII ?? false else {
                throw unexpected("\(digits) hexadecimal digits")
            }
            value = value << 4 | UInt32(digit)
            advance()
        }
        guard let scalar = Unicode.Scalar(value) else {
            throw fault("no character has the value \(String(value, radix: 16, uppercase: true))", at: place)
        }
        return scalar
    }

    // MARK: Faults

    /// An error at a place, by default this one.
    func fault(_ message: String, at place: Int? = nil) -> InferenceError {
        let read = scalars[..<min(place ?? position, scalars.count)]
        let line = read.count { $0 == "\n" } + 1
        let column = read.count - (read.lastIndex(of: "\n").map { $0 + 1 } ?? 0) + 1
        return InferenceError(.invalidArgument, "\(name), line \(line), column \(column): \(message)")
    }

    /// An error: something else was expected here.
    func unexpected(_ expected: String) -> InferenceError {
        let found = current.map { "'\(String($0).printable)'" } ?? "the end"
        return fault("unexpected \(found), expected \(expected)")
    }
}
