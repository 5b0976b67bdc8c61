// The syntax of git's configuration files.

/// The variables of one file, in the order in which they are set (git-config(1)).
struct GitConfigurationFile {
    struct Variable {
        /// Section and name in lower case, such as `core.excludesfile`.
        var name: String
        /// The subsection as written.
        var subsection: [UInt8]
        /// Nil if there is no equals sign.
        var value: [UInt8]?
    }

    private(set) var variables: [Variable] = []
    private let bytes: [UInt8]
    private var index = 0

    /// Parses a file; nil if it has a syntax error, in which case git stops.
    init?(_ contents: [UInt8]) {
        bytes = contents
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { index = 3 }
        var section = ""
        var subsection: [UInt8] = []
        while let byte = next() {
            switch byte {
            case _ where Self.isSpace(byte): continue
            case UInt8(ascii: "#"), UInt8(ascii: ";"): skipLine()
            case UInt8(ascii: "["):
                guard let header = header() else { return nil }
                (section, subsection) = header
            default:
                guard !section.isEmpty, Self.isLetter(byte), let (name, value) = variable(byte) else { return nil }
                variables.append(Variable(name: "\(section).\(name)", subsection: subsection, value: value))
            }
        }
    }

    private mutating func next() -> UInt8? {
        guard index < bytes.count else { return nil }
        defer { index += 1 }
        // A carriage return before a line feed is skipped.
        if bytes[index] == UInt8(ascii: "\r"), index + 1 < bytes.count, bytes[index + 1] == UInt8(ascii: "\n") {
            index += 1
        }
        return bytes[index]
    }

    private mutating func skipLine() {
        while let byte = next(), byte != UInt8(ascii: "\n") {}
    }

    private static func isSpace(_ byte: UInt8) -> Bool { [0x20, 0x09, 0x0A, 0x0D].contains(byte) }
    private static func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte.lowercased) }
    private static func isNameByte(_ byte: UInt8) -> Bool {
        isLetter(byte) || (0x30...0x39).contains(byte) || byte == UInt8(ascii: "-")
    }

    /// Parses a section header after its opening bracket.
    private mutating func header() -> (String, [UInt8])? {
        var section: [UInt8] = []
        while let byte = next() {
            if byte == UInt8(ascii: "]") {
                // The old form of a subsection, `[section.subsection]`, ignores case.
                let parts = section.split(separator: UInt8(ascii: "."), maxSplits: 1)
                guard let first = parts.first else { return nil }
                return (String(decoding: first, as: UTF8.self), parts.count > 1 ? Array(parts[1]) : [])
            }
            if Self.isSpace(byte) {
                guard byte != UInt8(ascii: "\n"), let subsection = subsection() else { return nil }
                return (String(decoding: section, as: UTF8.self), subsection)
            }
            guard Self.isNameByte(byte) || byte == UInt8(ascii: ".") else { return nil }
            section.append(byte.lowercased)
        }
        return nil
    }

    /// Parses a quoted subsection up to the closing bracket.
    private mutating func subsection() -> [UInt8]? {
        var byte = next()
        while let space = byte, Self.isSpace(space), space != UInt8(ascii: "\n") { byte = next() }
        guard byte == UInt8(ascii: "\"") else { return nil }
        var name: [UInt8] = []
        while let byte = next(), byte != UInt8(ascii: "\n") {
            if byte == UInt8(ascii: "\"") { return next() == UInt8(ascii: "]") ? name : nil }
            guard byte != UInt8(ascii: "\\") else {
                guard let escaped = next(), escaped != UInt8(ascii: "\n") else { return nil }
                name.append(escaped)
                continue
            }
            name.append(byte)
        }
        return nil
    }

    /// Parses the variable whose name begins with `first`.
    private mutating func variable(_ first: UInt8) -> (String, [UInt8]?)? {
        var name = [first.lowercased]
        var byte = next()
        while let letter = byte, Self.isNameByte(letter) {
            name.append(letter.lowercased)
            byte = next()
        }
        while byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") { byte = next() }
        let text = String(decoding: name, as: UTF8.self)
        if byte == nil || byte == UInt8(ascii: "\n") { return (text, nil) }
        guard byte == UInt8(ascii: "="), let value = value() else { return nil }
        return (text, value)
    }

    /// Parses the value after an equals sign.
    private mutating func value() -> [UInt8]? {
        var value: [UInt8] = []
        // Trailing spaces outside quotes are not part of the value.
        var end = 0
        var isQuoted = false
        while let byte = next(), byte != UInt8(ascii: "\n") {
            switch byte {
            case UInt8(ascii: "\""): isQuoted.toggle()
            case UInt8(ascii: "#") where !isQuoted, UInt8(ascii: ";") where !isQuoted:
                skipLine()
                return Array(value[..<end])
            case UInt8(ascii: "\\"):
                switch next() {
                case UInt8(ascii: "\n"): continue
                case UInt8(ascii: "n"): value.append(UInt8(ascii: "\n"))
                case UInt8(ascii: "t"): value.append(UInt8(ascii: "\t"))
                case UInt8(ascii: "b"): value.append(0x08)
                case UInt8(ascii: "\\"): value.append(UInt8(ascii: "\\"))
                case UInt8(ascii: "\""): value.append(UInt8(ascii: "\""))
                default: return nil
                }
            case _ where Self.isSpace(byte) && !isQuoted:
                if !value.isEmpty { value.append(byte) }
                continue
            default: value.append(byte)
            }
            end = value.count
        }
        return isQuoted ? nil : Array(value[..<end])
    }
}
