// The editor of the texts that are typed at the terminal.

/// An editor of one text after another: bytes from the terminal in, texts and the output that shows them out.
///
/// It knows the keys of readline, walks through and searches a history, completes words, and takes texts of several lines: pasted
/// ones, ones between `"""`, ones with a backslash at the end of a line, and ones with Alt-Return.
package struct LineEditor {
    /// The result of a key.
    package enum Event: Equatable {
        /// Return: the text is complete.
        case text(String)
        /// Ctrl-D with an empty text.
        case end
    }

    /// What can stand in place of the end of a text.
    package struct Completion: Equatable {
        /// The number of characters that are replaced.
        package var replaced: Int
        /// What can stand there.
        package var choices: [String]

        /// A completion of the last `replaced` characters.
        package init(replaced: Int, choices: [String]) { (self.replaced, self.choices) = (replaced, choices) }
    }

    /// A search through the history.
    private struct Search {
        var query = ""
        /// The entry that is shown.
        var match: Int?
        /// The text before the search.
        let text: String
    }

    /// The texts of earlier.
    package var history: InputHistory
    /// Finds what the text before the cursor can be completed to; nil if there is nothing to complete, and Tab is a character.
    package var complete: (_ before: String) -> Completion? = { _ in nil }
    /// Makes the output for the prompt.
    package var style: (String) -> String = { $0 }

    /// Whether the terminal can redraw lines. If not, the cursor stays at the end, and only the last row is changed.
    private let redraws: Bool
    private var columns = 80
    private var prompt = ""
    private var buffer = EditBuffer()
    private var decoder = KeyDecoder()
    private var search: Search?
    private var screen: LineScreen
    private var output = ""
    private var isStale = false
    /// Whether there is a text, from ``begin(prompt:)`` to its end.
    private var isActive = false
    /// Whether the last key was a Tab that found several choices.
    private var hasChoices = false

    private static let continuation = ". "
    private static let quotes = "\"\"\""

    /// An editor. Its first text begins with ``begin(prompt:)``.
    package init(redraws: Bool, history: InputHistory = InputHistory()) {
        self.redraws = redraws
        self.history = history
        screen = LineScreen(redraws: redraws)
    }

    /// Begins a new text after `prompt`, on a new row. A terminal that cannot redraw has to show the prompt already.
    package mutating func begin(prompt: String) {
        self.prompt = prompt
        buffer = EditBuffer()
        search = nil
        history.rest()
        screen.forget()
        (isActive, isStale) = (true, true)
    }

    /// Whether the text is empty.
    package var isEmpty: Bool { buffer.isEmpty && search == nil }
    /// The text.
    package var text: String { buffer.text }
    /// Whether the last bytes are the beginning of a key, or the key Escape, which ``timeOut()`` tells apart.
    package var isWithinKey: Bool { decoder.isWithinKey }

    /// Takes a byte from the terminal.
    package mutating func take(_ byte: UInt8) -> Event? { process(decoder.take(byte)) }

    /// Takes note that no byte has come for a while.
    package mutating func timeOut() { _ = process(decoder.timeOut()) }

    /// Drops the text, which stays on the terminal. The next one begins with ``begin(prompt:)``.
    package mutating func drop() {
        output += redraws ? screen.finish(layout) : "\n"
        buffer = EditBuffer()
        decoder = KeyDecoder()
        search = nil
        (isActive, isStale) = (false, false)
    }

    /// Sets the size of the terminal.
    package mutating func resize(columns: Int, rows: Int) {
        self.columns = columns
        guard redraws else { return }
        output += screen.resize(rows: rows, layout)
        isStale = isActive
    }

    /// Shows the text anew, in the row of the cursor: others have written to the terminal.
    package mutating func redraw() {
        screen.forget()
        isStale = isActive
    }

    /// The output for the terminal since the last call.
    package mutating func takeOutput() -> String {
        if isStale {
            output +=
                redraws
                ? screen.show(layout)
                : screen.append(buffer.text, prompt: prompt, continuation: Self.continuation)
        }
        isStale = false
        defer { output = "" }
        return output
    }

    // MARK: Keys

    private mutating func process(_ keys: [Key]) -> Event? {
        for key in keys {
            isStale = true
            let event = search == nil ? edit(key) : seek(key)
            if key != .tab { hasChoices = false }
            if let event { return event }
        }
        return nil
    }

    private mutating func edit(_ key: Key) -> Event? {
        switch key {
        case .text(let scalar): buffer.insert(scalar)
        case .enter: return enter()
        case .newline: buffer.insert("\n")
        case .tab: tab()
        case .backspace, .control("h"): buffer.removeLast(1)
        case .eraseWord: buffer.killWordLeft()
        case .control("w"): buffer.killBlankWord()
        case .control("u"): buffer.killToStart()
        case .control("d") where buffer.isEmpty: return .end
        case _ where !redraws: break
        default: editWithin(key)
        }
        return nil
    }

    /// The keys that need a terminal which can redraw.
    private mutating func editWithin(_ key: Key) {
        switch key {
        case .delete, .control("d"): buffer.delete()
        case .deleteWord: buffer.killWordRight()
        case .control("k"): buffer.killToEnd()
        case .control("y"): buffer.yank()
        case .left, .control("b"): buffer.left()
        case .right, .control("f"): buffer.right()
        case .wordLeft: buffer.wordLeft()
        case .wordRight: buffer.wordRight()
        case .home, .control("a"): buffer.home()
        case .end, .control("e"): buffer.end()
        case .up, .control("p"):
            if !buffer.up(), let text = history.older(than: buffer.text) { buffer.replace(by: text) }
        case .down, .control("n"):
            if !buffer.down(), let text = history.newer(than: buffer.text) { buffer.replace(by: text) }
        case .first: if let text = history.oldest(from: buffer.text) { buffer.replace(by: text) }
        case .last: if let text = history.newest(from: buffer.text) { buffer.replace(by: text) }
        case .control("l"): output += screen.clear()
        case .control("r"): search = Search(text: buffer.text)
        default: break
        }
    }

    /// Return: ends the text, or begins another line of it.
    private mutating func enter() -> Event? {
        if buffer.after.isEmpty, buffer.before.hasSuffix("\\") {
            buffer.removeLast(1)
            buffer.insert("\n")
            return nil
        }
        let isQuoted = buffer.text.drop(while: \.isWhitespace).hasPrefix(Self.quotes)
        guard !isQuoted || Self.unquoted(buffer.text) != nil else {
            buffer.insert("\n")
            return nil
        }
        buffer.toEnd()
        let text = buffer.text
        if redraws {
            output += screen.finish(layout(search: nil))
        } else {
            output += screen.append(text, prompt: prompt, continuation: Self.continuation) + "\n"
        }
        buffer = EditBuffer()
        (isActive, isStale) = (false, false)
        return .text(isQuoted ? Self.unquoted(text) ?? text : text)
    }

    /// The text between `"""` at its beginning and its end; nil if one is missing.
    private static func unquoted(_ text: String) -> String? {
        var inner = text.drop(while: \.isWhitespace)
        while inner.last?.isWhitespace == true { inner.removeLast() }
        guard inner.count >= 2 * quotes.count, inner.hasPrefix(quotes), inner.hasSuffix(quotes) else { return nil }
        inner = inner.dropFirst(quotes.count).dropLast(quotes.count)
        if inner.first == "\n" { inner.removeFirst() }
        if inner.last == "\n" { inner.removeLast() }
        return String(inner)
    }

    // MARK: Completion

    private mutating func tab() {
        guard let completion = complete(buffer.before) else { return buffer.insert("\t") }
        guard let first = completion.choices.first else { return }
        let typed = String(buffer.before.suffix(completion.replaced))
        var common = first
        for choice in completion.choices.dropFirst() { common = Self.commonPrefix(common, choice) }
        if completion.choices.count == 1 {
            // A folder is continued by what is in it.
            put(first + (first.hasSuffix("/") ? "" : " "), for: typed)
        } else if common.count > typed.count {
            put(common, for: typed)
        } else if hasChoices, redraws {
            output += screen.leave() + Self.list(completion.choices, columns: columns)
        }
        hasChoices = completion.choices.count > 1
    }

    private mutating func put(_ text: String, for typed: String) {
        buffer.removeLast(typed.count)
        buffer.insert(text)
    }

    private static func commonPrefix(_ one: String, _ other: String) -> String {
        String(zip(one, other).prefix { $0 == $1 }.map(\.0))
    }

    /// The choices in columns, with a line break after each row. Very many are cut.
    private static func list(_ choices: [String], columns: Int) -> String {
        let shown = choices.prefix(200)
        let width = (shown.map(\.columns).max() ?? 0) + 2
        let perRow = max(1, columns / width)
        let rowCount = (shown.count + perRow - 1) / perRow
        var text = ""
        for row in 0..<rowCount {
            let cells = stride(from: row, to: shown.count, by: rowCount).map { shown[$0] }
            let padded = cells.dropLast().map { $0 + String(repeating: " ", count: width - $0.columns) }
            text += (padded + cells.suffix(1)).joined() + "\r\n"
        }
        return choices.count > shown.count ? text + "… and \(choices.count - shown.count) more\r\n" : text
    }

    // MARK: Search

    private mutating func seek(_ key: Key) -> Event? {
        guard var current = search else { return nil }
        switch key {
        case .text(let scalar):
            current.query.unicodeScalars.append(scalar == "\n" ? " " : scalar)
            current.match = history.newestMatch(current.query, in: 0..<(current.match ?? history.entries.count - 1) + 1)
        case .control("r"):
            current.match =
                history.newestMatch(current.query, in: 0..<(current.match ?? history.entries.count)) ?? current.match
        case .backspace, .control("h"):
            if !current.query.isEmpty { current.query.removeLast() }
            current.match = history.newestMatch(current.query, in: 0..<history.entries.count)
        case .control("g"):
            buffer.replace(by: current.text)
            search = nil
            return nil
        default:
            // Any other key works on the text that was found.
            if let match = current.match { buffer.replace(by: history.entries[match]) }
            search = nil
            return key == .escape ? nil : edit(key)
        }
        search = current
        return nil
    }

    // MARK: Display

    /// What the terminal is to show.
    package var layout: TextLayout { layout(search: search) }

    private func layout(search: Search?) -> TextLayout {
        guard let search else {
            return TextLayout(
                prompt: prompt, continuation: Self.continuation, before: buffer.before, after: buffer.after,
                columns: columns, style: style)
        }
        let found = search.match.map { history.entries[$0] }
        let failed = found == nil && !search.query.isEmpty
        return TextLayout(
            prompt: "\(failed ? "nothing with" : "search:") \(search.query)", continuation: Self.continuation,
            before: "", after: found.map { "  \($0)" } ?? "", columns: columns, style: style)
    }
}
