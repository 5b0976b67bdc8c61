// How a model's template writes calls of tools, learned from what it makes of a few.

import InferSupport
import InferTokenizers

/// The form of a call of a tool in answers, for grammars.
package struct CallForm: Sendable, Hashable {
    /// A part of a call.
    package enum Part: Sendable, Hashable {
        case text(String)
        case name
        /// What tells the calls of a conversation apart: nine letters or digits.
        case identifier
        /// The arguments as an object in JSON.
        case object
        /// The arguments one after the other.
        case parameters(Parameter)
    }

    /// How an argument is written: `opening`, its key, what is before its value, the value, `closing`. A string is written as it is, any
    /// other value in JSON.
    package struct Parameter: Sendable, Hashable {
        package let opening: String
        package let beforeText: String
        package let beforeJSON: String
        package let closing: String
    }

    /// The parts, one after the other.
    package let parts: [Part]

    /// The marks of the form. A string that is written as it is must have none of them.
    package var marks: [String] {
        var marks: Set<String> = []
        for part in parts {
            switch part {
            case .text(let text): marks.formUnion(Self.tags(in: text))
            case .parameters(let parameter):
                marks.formUnion(Self.tags(in: parameter.opening) + Self.tags(in: parameter.closing))
                marks.insert(parameter.closing.trimmingSpace)
            case .name, .identifier, .object: break
            }
        }
        return marks.filter { !$0.isEmpty }.sorted()
    }

    /// From each `<` on, up to `>` or the end.
    private static func tags(in text: String) -> [String] {
        text.split(separator: "<", omittingEmptySubsequences: false).dropFirst().map { tag in
            "<" + (tag.firstIndex(of: ">").map { tag[..<$0] } ?? tag)
        }.filter { $0.count > 1 }
    }
}

extension ChatTemplate {
    /// The form of calls in answers to the template's conversations; nil if it writes none, or in a form that ``CallForm`` does not have.
    package var callForm: CallForm? {
        let probe = CallProbe(template: self)
        guard let call = probe.call(CallProbe.first), let form = CallForm(call) else { return nil }
        // One call shows how that one is written. The others have to be written alike.
        for arguments in CallProbe.others {
            guard let call = probe.call(arguments), form.fits(call, arguments) else { return nil }
        }
        return form
    }
}

extension CallForm {
    /// The form of ``CallProbe/first``.
    fileprivate init?(_ call: Substring) {
        let keys = CallProbe.keys
        guard let name = call.firstRange(of: CallProbe.name),
            let firstKey = call[name.upperBound...].firstRange(of: keys[0])
        else { return nil }
        let before = Self.parts(call[..<name.lowerBound]) + [.name]
        let middle = call[name.upperBound..<firstKey.lowerBound]
        if let brace = middle.lastIndex(of: "{"), let end = call.endOfJSON(at: brace, .object(CallProbe.first)) {
            parts = before + Self.parts(middle[..<brace]) + [.object] + Self.parts(call[end...])
            return
        }
        guard let text = call[firstKey.upperBound...].firstRange(of: CallProbe.text),
            let secondKey = call[text.upperBound...].firstRange(of: keys[1]),
            let number = call[secondKey.upperBound...].firstRange(of: "\(CallProbe.number)")
        else { return nil }
        // Between two arguments are the end of one and the beginning of the next.
        let between = call[text.upperBound..<secondKey.lowerBound]
        let opening = middle.commonSuffix(with: between)
        let closing = between.dropLast(opening.count)
        let tail = call[number.upperBound...]
        guard !opening.isEmpty, !closing.isEmpty, tail.hasPrefix(closing) else { return nil }
        let parameter = Parameter(
            opening: String(opening), beforeText: String(call[firstKey.upperBound..<text.lowerBound]),
            beforeJSON: String(call[secondKey.upperBound..<number.lowerBound]), closing: String(closing))
        parts =
            before + Self.parts(middle.dropLast(opening.count)) + [.parameters(parameter)]
            + Self.parts(tail.dropFirst(closing.count))
    }

    private static func parts(_ text: Substring) -> [Part] {
        guard let identifier = text.firstRange(of: CallProbe.identifier) else {
            return text.isEmpty ? [] : [.text(String(text))]
        }
        return parts(text[..<identifier.lowerBound]) + [.identifier] + parts(text[identifier.upperBound...])
    }

    /// Whether `call`, one of ``CallProbe``, is written in this form.
    fileprivate func fits(_ call: Substring, _ arguments: JSONObject) -> Bool {
        var rest = call
        for part in parts {
            var expected: String
            switch part {
            case .text(let text): expected = text
            case .name: expected = CallProbe.name
            case .identifier: expected = CallProbe.identifier
            case .object:
                guard let end = rest.endOfJSON(at: rest.startIndex, .object(arguments)) else { return false }
                rest = rest[end...]
                continue
            case .parameters(let parameter):
                expected = ""
                for member in arguments.members {
                    let value = member.value.string.map { parameter.beforeText + $0 }
                    expected += parameter.opening + member.key
                    expected += (value ?? parameter.beforeJSON + member.value.description) + parameter.closing
                }
            }
            guard rest.hasPrefix(expected) else { return false }
            rest = rest.dropFirst(expected.count)
        }
        return rest.isEmpty
    }
}

/// Calls whose names, keys and values can be found again in what a template makes of them.
private struct CallProbe {
    static let name = "NAME7919"
    static let identifier = "CALL77919"
    static let (keys, text, number) = (["KEY7919A", "KEY7919B", "KEY7919C"], "VALUE7919", 791_919)
    private static let questionText = "QUESTION7919"
    private static let question = ChatMessage(role: .user, content: questionText)

    /// A string and then a number.
    static let first: JSONObject = [keys[0]: .string(text), keys[1]: .integer(number)]
    static let others: [JSONObject] = [
        [:], [keys[0]: .string(text)], [keys[0]: .integer(number)],
        [keys[0]: .integer(number), keys[1]: .string(text), keys[2]: .string("VALUE9197")],
    ]

    let template: ChatTemplate
    let syntax: AnswerSyntax
    /// What stands before an answer, from the question on, without white space at the end; nil if the template cannot be rendered.
    private let prompt: String?

    init(template: ChatTemplate) {
        self.template = template
        syntax = AnswerSyntax(template: template.markText)
        var options = ChatOptions(tools: [Self.tool(Self.first)])
        options.skipsThinking = true
        prompt = Self.text(of: [Self.question], template, options).map { String($0).trimmingSpace }
    }

    /// A tool that takes these arguments.
    private static func tool(_ arguments: JSONObject) -> ToolDefinition {
        var properties = JSONObject()
        for member in arguments.members {
            properties[member.key] = ["type": member.value.string == nil ? "integer" : "string"]
        }
        return ToolDefinition(
            name: name, description: "", parameters: ["type": "object", "properties": .object(properties)])
    }

    /// What the template makes of a call, from the family's first mark to its last; nil if it makes none.
    func call(_ arguments: JSONObject) -> Substring? {
        let call = ToolCall(id: Self.identifier, name: Self.name, arguments: arguments)
        let message = ChatMessage(role: .assistant, content: "", toolCalls: [call])
        var options = ChatOptions(tools: [Self.tool(arguments)])
        options.skipsThinking = true
        options.addsGenerationPrompt = false
        guard let prompt, let answer = Self.text(of: [Self.question, message], template, options) else { return nil }
        return region(of: answer, prompt: prompt)
    }

    /// What is written behind the question.
    private static func text(
        of messages: [ChatMessage], _ template: ChatTemplate, _ options: ChatOptions
    ) -> Substring? {
        guard let text = try? template.render(messages, options: options) else { return nil }
        let all = String(decoding: text.bytes, as: UTF8.self)
        return all.ranges(of: questionText).last.map { all[$0.upperBound...] }
    }

    private func region(of answer: Substring, prompt: String) -> Substring? {
        guard let name = answer.firstRange(of: Self.name) else { return nil }
        let before = answer[..<name.lowerBound]
        // Some families have several marks for calls.
        let calls = syntax.calls.compactMap { call in
            before.ranges(of: call.opening).last.map { (opening: $0, closing: call.closing) }
        }
        let mark =
            if syntax.hasChannels {
                before.ranges(of: " to=").last
            } else if syntax.readsBareJSON {
                before.firstRange(of: "{")
            } else {
                calls.first?.opening
            }
        guard let mark else { return nil }
        guard !syntax.hasChannels, !syntax.readsBareJSON, let closing = calls.first?.closing else {
            // The call ends with its JSON.
            let braces = answer[mark.lowerBound...].indices.lazy.filter { "{[".contains(answer[$0]) }
            let end = braces.compactMap { answer.endOfJSON(at: $0) }.first { $0 > name.upperBound }
            return end.map { answer[mark.lowerBound..<$0] }
        }
        let last = answer.ranges(of: Self.name).last ?? name
        guard let end = answer[last.upperBound...].ranges(of: closing).last else { return nil }
        var region = answer[mark.lowerBound..<end.upperBound]
        // Marks around a list of calls. The last mark of the prompt is no part of the answer.
        while let outer = syntax.dropped.first(where: {
            answer[..<region.startIndex].hasSuffix($0) && !prompt.hasSuffix($0)
        }) {
            region = answer[answer.index(region.startIndex, offsetBy: -outer.count)..<region.endIndex]
        }
        while let outer = syntax.dropped.first(where: { answer[region.endIndex...].hasPrefix($0) }) {
            region = answer[region.startIndex..<answer.index(region.endIndex, offsetBy: outer.count)]
        }
        return region
    }
}

extension Substring {
    /// The end of the JSON value that begins at `start`; nil if none begins there, or another one than `expected`.
    fileprivate func endOfJSON(at start: Index, _ expected: JSONValue? = nil) -> Index? {
        let bytes = Array(self[start...].utf8)
        var reader = JSONReader(bytes: bytes)
        guard let value = try? reader.value(), expected.map({ $0 == value }) ?? true else { return nil }
        return utf8.index(start, offsetBy: reader.position)
    }

    fileprivate func commonSuffix(with other: Substring) -> Substring {
        suffix(zip(reversed(), other.reversed()).prefix { $0 == $1 }.count)
    }
}
