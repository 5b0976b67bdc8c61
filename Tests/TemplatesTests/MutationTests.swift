// Mutated templates and inputs: every one renders or throws; none crashes, hangs or grows without bound.

import Foundation
import InferSupport
import InferTemplates
import Testing

/// Draws numbers from a seed (SplitMix64).
private struct Draws: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }

    mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<max(bound, 1), using: &self) }

    mutating func one<Element>(of elements: [Element]) -> Element { elements[below(elements.count)] }
}

/// Changes templates and inputs.
private struct Mutator {
    private let templates: [[UInt8]]
    private let inputs: [JSONObject]

    /// Fragments of the language, to be put anywhere.
    private static let fragments: [[UInt8]] = [
        "{%", "%}", "{{", "}}", "{#", "#}", "{%-", "-%}", "{{-", "-}}", "'", "\"", "(", ")", "[", "]", "{", "}", "|",
        "~",
        "+", "-", "*", "/", "//", "%", "**", "==", "<", ">=", " in ", " not ", " is ", " and ", " or ", " if ",
        " else ",
        ".", ",", ":", "=", "\n", "\\", "é", "🙂", "\u{2028}", "0", "-1", "9223372036854775807", "1e308", "1e999",
        "0x7f",
        "none", "true", "loop", "loop.index", "namespace()", "range(9)", "range(99999)", "messages", "tools", "x",
        "[messages]", "messages * 99", "'a' * 9999", "|length", "|tojson", "|tojson(indent=2)", "|list", "|join",
        "|upper",
        "|map('upper')", "|map(attribute='role')", "|selectattr('role')", "|sort", "|first", "|last", "|reverse",
        "|replace('', 'ab')", "|indent(4)", "|int", "|float", "|round(2)", "|unique", "|dictsort", "|items",
        "|batch(2)",
        "|groupby('role')", "|format(1)", "|trim", "|safe", "|e", "|default('')", "|string", "|sum", "|min",
        "|from_json",
        ".items()", ".split('')", ".split()", ".split('a', 2)", ".rsplit('a')", ".strip('a')", ".append(messages)",
        ".pop()", ".update(x=1)", ".get('a')", ".format(1, a=2)", "[::-1]", "[1:]", "[:-1]", "[0]", "['a']",
        "{% for a in messages %}", "{% endfor %}", "{% if 1 %}", "{% endif %}", "{% else %}", "{% set x = messages %}",
        "{% set ns = namespace(x=messages) %}", "{% set ns.x = [ns.x] %}", "{% set x %}", "{% endset %}",
        "{% macro m(a, b=1) %}", "{% endmacro %}", "{{ m(1) }}", "{% call m(1) %}", "{% endcall %}",
        "{% for a in messages recursive %}", "{{ loop(messages) }}", "{% break %}", "{% continue %}",
        "{% filter upper %}",
        "{% endfilter %}", "{% generation %}", "{% endgeneration %}", "{% raw %}", "{% endraw %}", "is defined",
        "is mapping", "is divisibleby(0)", "raise_exception('a')", "strftime_now('%Y%q%-d%')", "'%s%d%5.2f' % (1, 2)",
        "'%*.*f' % (9, 9, 1)", "'{:>9}{!r}'.format(1)", "cycler(1, 2).next()", "joiner(',')()", "caller()", "varargs",
    ].map { Array($0.utf8) }

    /// Values to be put anywhere in an input.
    private static let values: [JSONValue] = [
        nil, true, false, 0, -1, 1, 2.5, 1e308, -0.0, "", "a", "user", "<|im_end|>", "\u{0}\u{1f}\"\\", "é🙂\u{2028}",
        .integer(.max), .integer(.min), [], [[]], [nil], ["a", "b"], [:], ["role": "user", "content": "x"],
        ["type": "text", "text": "x"], .string(String(repeating: "ab", count: 500)),
        .array(Array(repeating: "x", count: 50)), ["a": ["a": ["a": ["a": [1, 2, [3]]]]]],
    ]
    private static let keys = [
        "role", "content", "tools", "messages", "tool_calls", "function", "name", "arguments", "type", "parameters",
        "properties", "reasoning_content", "enable_thinking", "add_generation_prompt", "items", "x", "",
    ]

    init(templates: [String], inputs: [JSONObject]) {
        self.templates = templates.map { Array($0.utf8) }
        self.inputs = inputs
    }

    func template(_ draws: inout Draws) -> String {
        var bytes = draws.one(of: templates)
        for _ in 0..<(draws.below(3) == 0 ? 1 + draws.below(6) : 1) {
            if draws.below(5) > 0 {
                changeWord(of: &bytes, &draws)
                continue
            }
            let start = draws.below(bytes.count + 1)
            let end = min(start + draws.below(draws.below(8) == 0 ? 400 : 12), bytes.count)
            switch draws.below(8) {
            case 0: bytes.removeSubrange(start..<end)
            case 1: bytes.insert(contentsOf: bytes[start..<end], at: draws.below(bytes.count + 1))
            case 2:
                let other = draws.one(of: templates)
                let from = draws.below(other.count)
                bytes.insert(contentsOf: other[from..<min(from + draws.below(300), other.count)], at: start)
            case 3 where start < bytes.count: bytes[start] = UInt8(draws.below(256))
            case 4: bytes.replaceSubrange(start..<end, with: draws.one(of: Self.fragments))
            default: bytes.insert(contentsOf: draws.one(of: Self.fragments), at: start)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Replaces a word by an expression, or puts a filter or the like after it, so that most templates still parse.
    private func changeWord(of bytes: inout [UInt8], _ draws: inout Draws) {
        func isWord(_ byte: UInt8) -> Bool {
            byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7A || byte >= 0x30 && byte <= 0x39 || byte == 0x5F
        }
        var start = draws.below(bytes.count)
        // The next word in a tag; words after the last tag do not count.
        guard
            let tag = bytes[start...].indices.first(where: {
                bytes[$0] == 0x7B && bytes[$0...].dropFirst().first != 0x23
            })
        else { return }
        let end = bytes[tag...].firstIndex(of: 0x7D) ?? bytes.count
        let words = (tag..<end).filter { isWord(bytes[$0]) && !($0 > 0 && isWord(bytes[$0 - 1])) }
        guard !words.isEmpty else { return }
        start = draws.one(of: words)
        let stop = bytes[start...].firstIndex { !isWord($0) } ?? bytes.count
        if draws.below(2) == 0 {
            bytes.replaceSubrange(start..<stop, with: draws.one(of: Self.expressions))
        } else {
            bytes.insert(contentsOf: draws.one(of: Self.suffixes), at: stop)
        }
    }

    /// Whole expressions, and what can follow one.
    private static let (suffixes, expressions) = (
        fragments.filter { [0x7C, 0x2E, 0x5B].contains($0[0]) && $0.count > 1 || $0.starts(with: Array("is ".utf8)) },
        [
            "none", "true", "0", "-1", "9223372036854775807", "1e308", "loop", "loop.index", "namespace()", "range(9)",
            "range(99999)", "messages", "tools", "[messages]", "(messages * 99)", "('a' * 9999)", "messages[0]",
            "messages[-1].content", "''", "'é🙂'", "[]", "{}", "{'a': messages}", "(1, 2)", "zz", "cycler(1, 2).next()",
            "joiner(',')()", "strftime_now('%Y%q%-d%')", "raise_exception('a')", "('%s%d%5.2f' % (1, 2, 3))",
            "dict(a=1)",
            "'{:>9}{!r}'.format(1, '')", "(messages if tools else 1)", "(1 if zz)", "(messages ~ tools)", "2 ** 70",
            "1 // 0",
        ].map { Array($0.utf8) }
    )

    func input(_ draws: inout Draws) -> JSONObject {
        var input = draws.one(of: inputs)
        for _ in 0..<draws.below(4) { input = changed(input, &draws) }
        return input
    }

    private func changed(_ object: JSONObject, _ draws: inout Draws) -> JSONObject {
        var object = object
        let isNew = object.members.isEmpty || draws.below(6) == 0
        let key = isNew ? draws.one(of: Self.keys) : object.members[draws.below(object.members.count)].key
        object[key] = draws.below(8) == 0 ? nil : changed(object[key] ?? nil, &draws)
        return object
    }

    private func changed(_ value: JSONValue, _ draws: inout Draws) -> JSONValue {
        if draws.below(3) == 0 { return draws.one(of: Self.values) }
        switch value {
        case .object(let object): return .object(changed(object, &draws))
        case .array(var elements) where !elements.isEmpty:
            let index = draws.below(elements.count)
            switch draws.below(4) {
            case 0: elements.remove(at: index)
            case 1: elements.insert(elements[draws.below(elements.count)], at: index)
            default: elements[index] = changed(elements[index], &draws)
            }
            return .array(elements)
        default: return draws.one(of: Self.values)
        }
    }

    /// JSON text with some bytes changed.
    func json(_ draws: inout Draws) -> [UInt8] {
        var bytes = Array(JSONValue.object(draws.one(of: inputs)).description.utf8)
        for _ in 0..<draws.below(4) {
            let place = draws.below(bytes.count)
            switch draws.below(3) {
            case 0: bytes[place] = UInt8(draws.below(256))
            case 1: bytes.remove(at: place)
            default: bytes.insert(draws.one(of: Array("{}[]\",:\\u0e+-.tfn".utf8)), at: place)
            }
        }
        return bytes
    }
}

@Suite struct MutationTests {
    private static let environment = ProcessInfo.processInfo.environment
    /// How many templates are mutated; Tools/checks/templates asks for more.
    private static let count = environment["SWIFTINFER_MUTATIONS"].flatMap { Int($0) } ?? 4000
    private static let start = environment["SWIFTINFER_FIRST_MUTATION"].flatMap { Int($0) } ?? 0

    /// The templates and inputs that are mutated: the recorded cases, and where a folder is given the templates in it.
    private static func samples() throws -> (templates: [String], inputs: [JSONObject]) {
        var templates = try Samples.lines("cases.jsonl").compactMap { $0["template"]?.string }
        templates += try Samples.lines("families.jsonl").compactMap { $0["template"]?.string }
        var inputs = [try Samples.input()]
        inputs += try Samples.lines("families.jsonl").compactMap { $0["input"]?.object }
        if let folder = environment["SWIFTINFER_TEMPLATES"] {
            for file in try FileManager.default.contentsOfDirectory(
                at: URL(fileURLWithPath: folder), includingPropertiesForKeys: nil)
            where file.pathExtension == "jinja" {
                // Long ones count more.
                let text = try String(contentsOf: file, encoding: .utf8)
                templates += Array(repeating: text, count: 8)
            }
        }
        return (templates, inputs)
    }

    @Test("a changed template with a changed input renders or throws") func mutations() throws {
        let (templates, inputs) = try Self.samples()
        let mutator = Mutator(templates: templates, inputs: inputs)
        var limits = TemplateLimits()
        limits.steps = 200_000
        limits.textLength = 1 << 18
        limits.containers = 20_000
        let now = try Samples.noon()
        var (rendered, refused, unparsed) = (0, 0, 0)
        var slowest = (seconds: Duration.zero, index: 0)
        for index in Self.start..<Self.start + Self.count {
            var draws = Draws(seed: UInt64(index))
            let source = mutator.template(&draws)
            let input = mutator.input(&draws)
            let begin = ContinuousClock.now
            do throws(InferenceError) {
                let template = try Template(source)
                do throws(InferenceError) {
                    let text = try template.render(input, now: now, limits: limits)
                    rendered += 1
                    // The record of origins must describe the text.
                    var end = 0
                    for range in text.inputRanges {
                        #expect(range.lowerBound >= end && !range.isEmpty && range.upperBound <= text.bytes.count)
                        end = range.upperBound + 1
                    }
                    #expect(String(validating: text.bytes, as: UTF8.self) != nil, "mutation \(index)")
                } catch {
                    refused += 1
                }
            } catch {
                unparsed += 1
            }
            _ = try? JSONValue(parsing: mutator.json(&draws))
            let seconds = ContinuousClock.now - begin
            if seconds > slowest.seconds { slowest = (seconds, index) }
            if Self.count > 100_000, index % 10_000 == 0 {
                print("mutation \(index): \(rendered) rendered, \(refused) refused, \(unparsed) not parsed")
            }
        }
        print(
            "\(Self.count) mutations: \(rendered) rendered, \(refused) refused, \(unparsed) not parsed; slowest \(slowest)"
        )
        #expect(slowest.seconds < .seconds(20), "mutation \(slowest.index)")
        #expect(rendered > 0 && refused > 0 && unparsed > 0)
    }
}
