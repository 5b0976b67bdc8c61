// JSON schemas as acceptors of whole texts.

import Foundation
import InferGrammar
import InferSupport
import TestSupport
import Testing

@Suite struct JSONSchemaTests {
    /// A schema, texts that it allows, and texts that it does not.
    struct Case: Sendable, CustomTestStringConvertible {
        let schema: String
        let good: [String]
        let bad: [String]
        var testDescription: String { schema }

        init(_ schema: String, good: String..., bad: String...) {
            (self.schema, self.good, self.bad) = (schema, good, bad)
        }
    }

    static let types = [
        Case(
            "true", good: "null", "[1, {\"a\": \"b\"}]", "\"\\u00e9\\n\"", "-0.5e+10", bad: "", "nul", "01", "[1,]",
            "{a:1}", "1 2", "\"\t\""),
        Case(#"{"type":"null"}"#, good: "null", bad: "false", "0", "\"null\""),
        Case(#"{"type":["boolean","integer"]}"#, good: "true", "-12", "0", bad: "1.5", "null", "-01", "--1"),
        Case(#"{"type":"number"}"#, good: "1", "1.25", "-1e5", "2E-3", bad: "1.", ".5", "+1", "1e", "NaN", "1e400"),
        Case(
            #"{"enum":["a",1,[true],{"k":null},2.50]}"#, good: "\"a\"", "1", "[true]", "{\"k\":null}",
            "{ \"k\": null }", "2.5", bad: "\"b\"", "[]", "2.51"),
        Case(#"{"const":"\u0000\"\\"}"#, good: #""\u0000\"\\""#, bad: "\"\"", #""\u0000""#),
    ]

    static let numbers = [
        Case(
            #"{"type":"integer","minimum":-5,"maximum":120}"#, good: "-5", "0", "99", "120", bad: "-6", "121", "1000",
            "5.0"),
        Case(
            #"{"type":"integer","exclusiveMinimum":9,"exclusiveMaximum":101}"#, good: "10", "100", bad: "9", "101", "1"),
        Case(
            #"{"type":"number","minimum":0.5,"maximum":10}"#, good: "0.5", "0.51", "9.999", "10", "10.0", bad: "0.49",
            "10.01", "0", "-1"),
        Case(
            #"{"type":"number","exclusiveMaximum":-1.5}"#, good: "-1.51", "-2", "-100.25", bad: "-1.5", "-1.49", "0",
            "3"),
        Case(#"{"type":"integer","multipleOf":7,"minimum":1}"#, good: "7", "14", "700", bad: "0", "1", "15", "-7"),
        Case(#"{"type":"number","multipleOf":0.25}"#, good: "0.25", "1.5", "3", "-0.75", bad: "0.3", "1.1"),
    ]

    static let strings = [
        Case(
            #"{"type":"string","minLength":2,"maxLength":3}"#, good: "\"ab\"", "\"é😀x\"", "\"\\n\\\"\"", bad: "\"a\"",
            "\"abcd\"", "\"\\n\""),
        Case(
            #"{"type":"string","pattern":"^[a-c]+[0-9]{2}$"}"#, good: "\"abc42\"", bad: "\"abc4\"", "\"d42\"",
            "\"abc421\""),
        Case(#"{"type":"string","pattern":"\"b"}"#, good: #""a\"bc""#, bad: #""ab""#),
        Case(
            #"{"type":"string","format":"date"}"#, good: "\"2024-02-29\"", "\"1999-12-31\"", bad: "\"2023-02-29\"",
            "\"2023-13-01\"", "\"2023-1-1\""),
        Case(
            #"{"type":"string","format":"date-time"}"#, good: "\"2026-11-29T23:59:00Z\"",
            "\"2026-11-29T00:00:00.5+02:00\"", bad: "\"2026-11-29\"", "\"2026-11-29T24:00:00Z\""),
        Case(
            #"{"type":"string","format":"uuid"}"#, good: "\"123e4567-e89b-12d3-a456-426614174000\"", bad: "\"123e4567\""
        ),
        Case(
            #"{"type":"string","format":"ipv6"}"#, good: "\"::1\"", "\"fe80::1:2\"", "\"1:2:3:4:5:6:7:8\"",
            bad: "\"1:2:3\"", "\":::\""),
        Case(
            #"{"type":"string","format":"email","maxLength":12}"#, good: "\"a.b@c.de\"", bad: "\"a@b\"",
            "\"long.name@host.org\""),
    ]

    static let arrays = [
        Case(
            #"{"type":"array","items":{"type":"integer"},"minItems":1,"maxItems":3}"#, good: "[1]", "[1, 2,3]",
            "[\n  1,\n  2\n]", bad: "[]", "[1,2,3,4]", "[\"a\"]", "[1,]"),
        Case(
            #"{"type":"array","prefixItems":[{"type":"string"},{"type":"null"}],"items":{"type":"boolean"}}"#,
            good: "[]", "[\"a\"]", "[\"a\",null,true,false]", bad: "[null]", "[\"a\",true]", "[\"a\",null,null]"),
        Case(#"{"type":"array","prefixItems":[{"const":1}],"items":false}"#, good: "[]", "[1]", bad: "[2]", "[1,1]"),
    ]

    static let objects = [
        Case(
            #"{"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"string"},"c":{"type":"null"}},"required":["b"],"additionalProperties":false}"#,
            good: #"{"b":"x"}"#, #"{"a":1,"b":"x"}"#, #"{ "a": 1, "b": "x", "c": null }"#, "{\n\t\"b\": \"\"\n}",
            bad: "{}", #"{"a":1}"#, #"{"b":"x","d":1}"#, #"{"b":1}"#, #"{"b":"x","b":"y"}"#, #"{"b":"x",}"#,
            #"{"a":1 "b":"x"}"#),
        Case(
            #"{"properties":{"a":{"type":"integer"}},"additionalProperties":{"type":"boolean"}}"#,
            good: "{}", "5", #"{"a":1,"b":true,"ab":false}"#, bad: #"{"a":true}"#, #"{"b":1}"#),
        Case(#"{"type":"object","required":["x"]}"#, good: #"{"x":[]}"#, bad: "{}", "[]"),
        Case(
            #"{"allOf":[{"type":"object","properties":{"a":{"type":"number"}},"required":["a"]},{"properties":{"a":{"maximum":5}}}]}"#,
            good: #"{"a":4.5}"#, bad: #"{"a":6}"#, "{}"),
        Case(
            ##"{"anyOf":[{"type":"string"},{"type":"object","properties":{"k":{"$ref":"#"}},"required":["k"],"additionalProperties":false}]}"##,
            good: "\"a\"", #"{"k":"a"}"#, #"{"k":{"k":{"k":"a"}}}"#, bad: "{}", "1", #"{"k":1}"#),
        Case(
            #"{"oneOf":[{"properties":{"t":{"const":"a"},"v":{"type":"integer"}},"required":["t","v"],"type":"object","additionalProperties":false},{"type":"object","properties":{"t":{"const":"b"}},"required":["t"],"additionalProperties":false}]}"#,
            good: #"{"t":"a","v":1}"#, #"{"t":"b"}"#, bad: #"{"t":"a"}"#, #"{"t":"b","v":1}"#, #"{"t":"c"}"#),
        Case(
            ##"{"$defs":{"n/o~":{"type":"integer"}},"type":"array","items":{"$ref":"#/$defs/n~1o~0"}}"##, good: "[1]",
            bad: "[null]"),
    ]

    @Test(arguments: types + numbers + strings + arrays + objects) func accepts(_ test: Case) throws {
        let grammar = try Grammar(jsonSchema: JSONValue(parsing: test.schema))
        for text in test.good { #expect(grammar.accepts(text), "\(text)") }
        for text in test.bad { #expect(!grammar.accepts(text), "\(text)") }
    }

    @Test func styles() throws {
        let schema: JSONValue = ["type": "object", "properties": ["a": ["type": "integer"]]]
        let compact = try Grammar(jsonSchema: schema, style: JSONStyle(whiteSpace: .none))
        #expect(compact.accepts(#"{"a":1,"b":[2,3]}"#) && !compact.accepts(#"{"a": 1}"#))
        let closed = try Grammar(
            jsonSchema: schema, style: JSONStyle(whiteSpace: .none, allowsUndeclaredProperties: false))
        #expect(closed.accepts(#"{"a":1}"#) && !closed.accepts(#"{"a":1,"b":2}"#))
        let narrow = try Grammar(jsonSchema: schema, style: JSONStyle(whiteSpace: .flexible(maximumIndentation: 2)))
        #expect(
            narrow.accepts("{\n  \"a\": 1\n}") && !narrow.accepts("{\n   \"a\": 1\n}")
                && !narrow.accepts("{  \"a\": 1}"))
    }

    @Test(arguments: [
        "not", "if", "then", "else", "dependentSchemas", "dependentRequired", "patternProperties", "propertyNames",
        "contains",
        "minContains", "maxContains", "minProperties", "maxProperties", "unevaluatedItems", "unevaluatedProperties",
        "$dynamicRef",
        "surprise",
    ]) func otherKeywordsAreRefusedByName(keyword: String) {
        let schema: JSONValue = ["type": "object", "properties": ["a/b": .object([keyword: 1])]]
        expectRefusal(.invalidArgument, "\"\(keyword)\"", "#/properties/a~1b") { try Grammar(jsonSchema: schema) }
    }

    @Test(arguments: [
        (#"{"type":"float"}"#, "\"float\""), (#"{"format":"iri"}"#, "iri"), (#"{"$ref":"http://x"}"#, "http://x"),
        (##"{"$ref":"#/$defs/none"}"##, "nothing"), (##"{"$ref":"#"}"##, "itself"), (#"{"minItems":-1}"#, "minItems"),
        (#"{"pattern":"("}"#, "pattern"), (#"{"pattern":"\\b"}"#, "word boundary"),
        (#"{"multipleOf":0}"#, "multipleOf"),
        (#"{"multipleOf":0.123456789,"type":"number"}"#, "multipleOf"),
        (#"{"oneOf":[{"type":"number"},{"minimum":2}]}"#, "oneOf"),
        (#"{"uniqueItems":true}"#, "uniqueItems"), (#"{"items":[{}]}"#, "prefixItems"), ("false", "no text"),
        ("7", "object"),
        (#"{"type":"string","minLength":3,"maxLength":2}"#, "no text"),
        (#"{"type":"string","minLength":100000000}"#, "large"),
        (#"{"allOf":[{"type":"string"},{"type":"null"}]}"#, "no text"), (#"{"enum":[]}"#, "no text"),
    ]) func faultsAreNamed(schema: String, phrase: String) throws {
        let schema = try JSONValue(parsing: schema)
        expectRefusal(.invalidArgument, phrase) { try Grammar(jsonSchema: schema, limits: .small) }
    }

    // MARK: The public suite

    private static let suite = ProcessInfo.processInfo.environment["SWIFTINFER_JSON_SCHEMA_SUITE"]

    /// The files of https://github.com/json-schema-org/JSON-Schema-Test-Suite, tests/draft2020-12: schemas are refused or right.
    @Test(.enabled(if: suite != nil, "set SWIFTINFER_JSON_SCHEMA_SUITE to the folder of the suite's files"))
    func publicSuite() throws {
        let folder = URL(fileURLWithPath: try #require(Self.suite))
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        var (right, otherSpelling, refused) = (0, 0, 0)
        for file in files where file.pathExtension == "json" {
            for group in try JSONValue(parsing: Data(contentsOf: file)).array ?? [] {
                let tests = group["tests"]?.array ?? []
                var grammar: Grammar?
                do throws(InferenceError) {
                    grammar = try Grammar(jsonSchema: group["schema"] ?? true)
                } catch  where !error.message.contains("no text") {
                    refused += tests.count
                    continue
                } catch {}
                for test in tests {
                    let data = (test["data"] ?? nil).description
                    let (isValid, isAccepted) = (test["valid"] == true, grammar?.accepts(data) ?? false)
                    if isValid && !isAccepted { otherSpelling += 1 } else { right += isValid == isAccepted ? 1 : 0 }
                    #expect(
                        isValid || !isAccepted, "\(file.lastPathComponent), \(group["description"] ?? nil): \(data)")
                }
            }
        }
        print(
            "JSON-Schema-Test-Suite: \(right) right, \(otherSpelling) valid in a spelling that is not allowed, \(refused) of refused schemas"
        )
        #expect(right > 400 && otherSpelling < 20)
    }
}
