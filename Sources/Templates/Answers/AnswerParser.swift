// Reads thoughts and tool calls out of an answer while it is generated.

import InferSupport
public import InferTokenizers

/// A part of a model's answer.
public enum AnswerPart: Hashable, Sendable {
    /// Text for the reader.
    case text(String)
    /// What the model thinks before it answers, without the marks around it.
    case thinking(String)
    /// A complete call of a tool.
    case toolCall(ToolCall)
}

/// Divides an answer into text, thoughts and tool calls as it arrives, by the marks of the model's family. The family is recognised
/// by the model's template; answers of unknown families are text.
///
/// Text is passed on as soon as it cannot be the beginning of a mark. A call is passed on when it is complete. What looks like a call
/// but cannot be read as one is text: nothing of an answer is lost.
///
/// ```swift
/// var parser = try model.answerParser(for: messages, options: options)
/// for try await case .text(let piece) in session.generate(.chat(messages, options: options)) {
///     for part in parser.consume(piece) { show(part) }
/// }
/// for part in parser.finish() { show(part) }
/// messages.append(parser.message)
/// ```
public struct AnswerParser: Sendable {
    private enum State {
        case text
        /// In a thought that the mark ends.
        case thinking(closing: String)
        /// In a call. Nothing that begins before `searched` ends it.
        case call(AnswerSyntax.Call, searched: Int)
        /// In a call that ends with its JSON, or with the answer.
        case openCall(AnswerSyntax.Call, JSONEnd)
        /// In a bare JSON object that can be a call (Llama 3).
        case bareJSON(JSONEnd)
        /// In the header of a channel, and in a channel whose text is a thought, text or the arguments of a tool (Harmony).
        case header
        case channel(isThought: Bool)
        case arguments(tool: String)
    }

    private let syntax: AnswerSyntax
    private let tools: [ToolDefinition]
    private var callCount: Int
    private var state: State
    /// What has arrived and is not passed on.
    private var buffer: [UInt8] = []
    /// White space of the text that is passed on only if more text follows.
    private var heldSpace: [UInt8] = []
    private var hasText = false
    private var hasCall = false
    private var skipsSpace = false
    private var parts: [AnswerPart] = []

    /// The message that the answer is so far, for the next turn of the conversation.
    public private(set) var message = ChatMessage(role: .assistant, content: "")

    /// A parser for an answer to a rendered conversation.
    ///
    /// - Parameters:
    ///   - template: The template that rendered the conversation.
    ///   - prompt: The rendered conversation. A thought that it begins is continued by the answer.
    ///   - tools: The tools that the model can call. Their schemas say which arguments are strings in families that do not mark
    ///     them.
    ///   - callCount: The number of calls that the conversation has so far; calls are numbered from there.
    public init(template: ChatTemplate, prompt: PromptText, tools: [ToolDefinition] = [], callCount: Int = 0) {
        self.init(
            syntax: AnswerSyntax(template: template.markText), prompt: prompt.bytes, tools: tools, callCount: callCount)
    }

    /// A parser for answers to a prompt that the template with this source rendered.
    package init(templateSource: String, prompt: String, tools: [ToolDefinition] = []) {
        self.init(syntax: AnswerSyntax(template: templateSource), prompt: Array(prompt.utf8), tools: tools)
    }

    /// A parser for answers that are text as a whole.
    public init() { self.init(syntax: AnswerSyntax(template: ""), prompt: [], tools: []) }

    private init(syntax: AnswerSyntax, prompt: [UInt8], tools: [ToolDefinition], callCount: Int = 0) {
        self.syntax = syntax
        self.tools = tools
        self.callCount = callCount
        state = syntax.hasChannels ? .header : .text
        if syntax.beginsText(after: prompt) { state = .channel(isThought: false) }
        if let closing = syntax.openThought(after: prompt) {
            state = .thinking(closing: closing)
            skipsSpace = true
        }
    }

    /// Takes the next piece of the answer.
    ///
    /// - Returns: What is certain after it.
    public mutating func consume(_ piece: String) -> [AnswerPart] {
        buffer += piece.utf8
        advance(isEnd: false)
        return takeParts()
    }

    /// Takes the end of the answer.
    ///
    /// - Returns: What was held back.
    public mutating func finish() -> [AnswerPart] {
        advance(isEnd: true)
        switch state {
        case .call(let call, _), .openCall(let call, _):
            let rest = Array(buffer)
            buffer = []
            emit(call, rest, isComplete: false)
        case .bareJSON: emit(text: take(buffer.count))
        case .arguments(let tool): emitArguments(take(buffer.count), of: tool)
        default: break
        }
        if !hasCall { flushSpace() }
        return takeParts()
    }

    private mutating func takeParts() -> [AnswerPart] {
        defer { parts = [] }
        return parts
    }

    // MARK: States

    private mutating func advance(isEnd: Bool) {
        // Each step takes from the buffer or changes the state; a step that does neither ends it.
        var goesOn = true
        while goesOn {
            switch state {
            case .text: goesOn = advanceText(isEnd)
            case .thinking(let closing): goesOn = advanceThought(closing, isEnd)
            case .call(let call, let searched): goesOn = advanceCall(call, searched)
            case .openCall(let call, let end): goesOn = advanceOpenCall(call, end)
            case .bareJSON(let end): goesOn = advanceBareJSON(end)
            case .header: goesOn = advanceHeader(isEnd)
            case .channel(let isThought): goesOn = advanceChannel(isThought, isEnd)
            case .arguments(let tool): goesOn = advanceArguments(tool)
            }
        }
    }

    private mutating func advanceText(_ isEnd: Bool) -> Bool {
        if syntax.readsBareJSON, !hasText, let first = buffer.firstIndex(where: { !$0.isSpace }),
            buffer[first] == UInt8(ascii: "{")
        {
            state = .bareJSON(JSONEnd(start: first))
            return true
        }
        var marks: [String] = syntax.dropped + syntax.calls.map(\.opening)
        for (opening, closing) in syntax.thoughts { marks += [opening, closing] }
        guard let (range, mark) = buffer.firstMark(of: marks) else {
            let kept = isEnd ? 0 : buffer.lengthOfPartialMark(marks)
            emit(text: take(buffer.count - kept))
            return false
        }
        emit(text: take(range.lowerBound))
        if let call = syntax.calls.first(where: { $0.opening == mark }) {
            if !call.keepsOpening { _ = take(mark.utf8.count) }
            state = call.closing == nil ? .openCall(call, JSONEnd(start: 0)) : .call(call, searched: 0)
            return true
        }
        _ = take(mark.utf8.count)
        if let thought = syntax.thoughts.first(where: { $0.opening == mark }) {
            state = .thinking(closing: thought.closing)
            heldSpace = []
            skipsSpace = true
        } else {
            skipsSpace = !hasText
        }
        return true
    }

    private mutating func advanceThought(_ closing: String, _ isEnd: Bool) -> Bool {
        guard let (range, mark) = buffer.firstMark(of: [closing]) else {
            let kept = isEnd ? 0 : buffer.lengthOfPartialMark([closing])
            emit(thinking: take(buffer.count - kept))
            return false
        }
        emit(thinking: take(range.lowerBound))
        _ = take(mark.utf8.count)
        heldSpace = []
        skipsSpace = true
        state = .text
        return true
    }

    private mutating func advanceCall(_ call: AnswerSyntax.Call, _ searched: Int) -> Bool {
        guard let closing = call.closing, let found = buffer.firstMark(of: [closing], from: searched) else {
            state = .call(call, searched: max(0, buffer.count - (call.closing?.utf8.count ?? 0) + 1))
            return false
        }
        let body = Array(buffer[..<found.range.lowerBound])
        // The mark can also stand in a value.
        if !call.form.isWhole(call.keepsOpening ? body + Array(closing.utf8) : body) {
            state = .call(call, searched: found.range.upperBound)
            return true
        }
        _ = take(found.range.upperBound)
        emit(call, call.keepsOpening ? body + Array(closing.utf8) : body, isComplete: true)
        state = .text
        return true
    }

    private mutating func advanceOpenCall(_ call: AnswerSyntax.Call, _ end: JSONEnd) -> Bool {
        if case .python = call.form { return false }
        var end = end
        guard let length = end.length(in: buffer, isSkippingText: true) else {
            state = .openCall(call, end)
            return false
        }
        emit(call, Array(take(length)), isComplete: true)
        state = .text
        return true
    }

    private mutating func advanceBareJSON(_ end: JSONEnd) -> Bool {
        var end = end
        guard let length = end.length(in: buffer, isSkippingText: false) else {
            state = .bareJSON(end)
            return false
        }
        let body = take(length)
        if let calls = CallReader(tools: tools).json(Array(body)), !calls.isEmpty {
            emit(calls)
            // Several calls can follow each other with semicolons.
            let rest = buffer.firstIndex { !$0.isSpace && $0 != UInt8(ascii: ";") } ?? buffer.count
            _ = take(rest)
        } else {
            emit(text: body)
            hasText = true
        }
        state = .text
        return true
    }

    // MARK: Channels

    private static let endsOfMessage = ["<|end|>", "<|return|>", "<|call|>"]

    private mutating func advanceHeader(_ isEnd: Bool) -> Bool {
        guard let (range, mark) = buffer.firstMark(of: ["<|message|>"]) else {
            // An answer without a header is text.
            let hasMark = buffer.firstMark(of: ["<|channel|>", "<|start|>"]) != nil
            if isEnd || (buffer.count > 200 && !hasMark) {
                let rest = take(buffer.count)
                if !hasMark { emit(text: rest) }
            }
            return false
        }
        let header = String(decoding: take(range.lowerBound), as: UTF8.self)
        _ = take(mark.utf8.count)
        skipsSpace = false
        if let recipient = header.utf8.range(of: "to=functions.") {
            let name = header[recipient.upperBound...].prefix { $0 != "<" && !$0.isWhitespace }
            state = .arguments(tool: String(name))
        } else {
            state = .channel(isThought: header.containsBytes(of: "<|channel|>analysis"))
        }
        return true
    }

    private mutating func advanceChannel(_ isThought: Bool, _ isEnd: Bool) -> Bool {
        let marks = Self.endsOfMessage + ["<|start|>"]
        let found = buffer.firstMark(of: marks)
        let kept = isEnd || found != nil ? 0 : buffer.lengthOfPartialMark(marks)
        let part = take(found?.range.lowerBound ?? buffer.count - kept)
        if isThought { emit(thinking: part) } else { emit(text: part) }
        guard let found else { return false }
        _ = take(found.mark.utf8.count)
        if isThought { heldSpace = [] }
        state = .header
        return true
    }

    private mutating func advanceArguments(_ tool: String) -> Bool {
        guard let found = buffer.firstMark(of: Self.endsOfMessage + ["<|start|>"]) else { return false }
        emitArguments(take(found.range.lowerBound), of: tool)
        _ = take(found.mark.utf8.count)
        state = .header
        return true
    }

    private mutating func emitArguments(_ body: ArraySlice<UInt8>, of tool: String) {
        if case .object(let arguments)? = try? JSONValue(parsing: body) {
            emit([CallReader.Call(name: tool, arguments: arguments)])
        } else {
            emit(text: body)
        }
    }

    // MARK: Passing on

    /// Takes bytes from the start of the buffer.
    private mutating func take(_ count: Int) -> ArraySlice<UInt8> {
        let taken = buffer.prefix(count)
        buffer.removeFirst(taken.count)
        return taken
    }

    private mutating func emit(text bytes: ArraySlice<UInt8>) {
        var bytes = bytes
        if skipsSpace { bytes = bytes.drop(while: \.isSpace) }
        guard !bytes.isEmpty else { return }
        skipsSpace = false
        let end = bytes.lastIndex { !$0.isSpace }.map { $0 + 1 } ?? bytes.startIndex
        if end > bytes.startIndex {
            flushSpace()
            append(text: Array(bytes[..<end]))
            hasText = true
        }
        heldSpace += bytes[end...]
    }

    private mutating func flushSpace() {
        append(text: heldSpace)
        heldSpace = []
    }

    private mutating func append(text bytes: [UInt8]) {
        guard !bytes.isEmpty else { return }
        let text = String(decoding: bytes, as: UTF8.self)
        message.content += text
        if case .text(let last)? = parts.last {
            parts[parts.count - 1] = .text(last + text)
        } else {
            parts.append(.text(text))
        }
    }

    private mutating func emit(thinking bytes: ArraySlice<UInt8>) {
        var bytes = bytes
        if skipsSpace { bytes = bytes.drop(while: \.isSpace) }
        guard !bytes.isEmpty else { return }
        skipsSpace = false
        // White space at the end of a thought belongs to the mark.
        let end = bytes.lastIndex { !$0.isSpace }.map { $0 + 1 } ?? bytes.startIndex
        if end > bytes.startIndex {
            let text = String(decoding: heldSpace + bytes[..<end], as: UTF8.self)
            heldSpace = []
            message.thinking = (message.thinking ?? "") + text
            if case .thinking(let last)? = parts.last {
                parts[parts.count - 1] = .thinking(last + text)
            } else {
                parts.append(.thinking(text))
            }
        }
        heldSpace += bytes[end...]
    }

    private func parsedCalls(_ call: AnswerSyntax.Call, _ body: [UInt8]) -> [CallReader.Call]? {
        CallReader(tools: tools).calls(in: body, call.form)
    }

    private mutating func emit(_ call: AnswerSyntax.Call, _ body: [UInt8], isComplete: Bool) {
        if let calls = parsedCalls(call, body), !calls.isEmpty {
            emit(calls)
        } else {
            let opening = call.keepsOpening ? "" : call.opening
            let closing = isComplete && !call.keepsOpening ? call.closing ?? "" : ""
            emit(text: (Array(opening.utf8) + body + Array(closing.utf8))[...])
        }
    }

    private mutating func emit(_ calls: [CallReader.Call]) {
        // White space before and after calls belongs to their marks. Text before and after is on lines of its own.
        heldSpace = hasText ? [0x0A] : []
        skipsSpace = true
        hasCall = true
        for call in calls {
            callCount += 1
            let number = String(callCount)
            let zeros = String(repeating: "0", count: max(0, 5 - number.count))
            let toolCall = ToolCall(id: call.id ?? "call" + zeros + number, name: call.name, arguments: call.arguments)
            message.toolCalls.append(toolCall)
            parts.append(.toolCall(toolCall))
        }
    }
}

/// Finds the end of a JSON object or array that arrives in pieces.
struct JSONEnd: Sendable {
    private var position: Int
    private var depth = 0
    private var isInString = false
    private var isEscaped = false

    init(start: Int) { position = start }

    /// The number of bytes up to the end of the first object or array; nil if it has not ended.
    ///
    /// - Parameter isSkippingText: Whether other text can stand before it.
    mutating func length(in bytes: [UInt8], isSkippingText: Bool) -> Int? {
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            if isInString {
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    isInString = false
                }
                continue
            }
            switch byte {
            case UInt8(ascii: "\"") where depth > 0: isInString = true
            case UInt8(ascii: "{"): depth += 1
            case UInt8(ascii: "["):
                // Before the first object, brackets belong to marks such as [ARGS], unless an object begins at once.
                if depth == 0 {
                    guard let next = bytes[position...].first(where: { !$0.isSpace }) else {
                        position -= 1
                        return nil
                    }
                    if next != UInt8(ascii: "{") { continue }
                }
                depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                guard depth > 0 else { continue }
                depth -= 1
                if depth == 0 { return position }
            default: if depth == 0, !isSkippingText, !byte.isSpace { return nil }
            }
        }
        return nil
    }
}

extension UInt8 {
    var isSpace: Bool { self == 0x20 || (0x09...0x0D).contains(self) }
}

extension BidirectionalCollection<UInt8> {
    /// Whether the last bytes are those of `text`.
    func ends(with text: String) -> Bool { suffix(text.utf8.count).elementsEqual(text.utf8) }
}

extension [UInt8] {
    /// The first of `marks` that occurs at or after `start`; of several at one place the longest.
    func firstMark(of marks: [String], from start: Int = 0) -> (range: Range<Int>, mark: String)? {
        let marks = marks.map { (text: $0, bytes: Array($0.utf8)) }
        var index = start
        while index < count {
            var best: (range: Range<Int>, mark: String)?
            for mark in marks where mark.bytes.first == self[index] && self[index...].starts(with: mark.bytes) {
                if mark.bytes.count > best?.range.count ?? 0 { best = (index..<index + mark.bytes.count, mark.text) }
            }
            if let best { return best }
            index += 1
        }
        return nil
    }

    /// The length of the longest end of the bytes that is the beginning of a mark.
    func lengthOfPartialMark(_ marks: [String]) -> Int {
        var longest = 0
        for mark in marks {
            let bytes = Array(mark.utf8)
            var length = Swift.min(bytes.count - 1, count)
            while length > longest {
                if suffix(length).elementsEqual(bytes[..<length]) { longest = length }
                length -= 1
            }
        }
        return longest
    }

    /// Whether the bytes have a complete JSON object or array.
    var hasWholeJSON: Bool {
        var end = JSONEnd(start: 0)
        return end.length(in: self, isSkippingText: true) != nil
    }
}
