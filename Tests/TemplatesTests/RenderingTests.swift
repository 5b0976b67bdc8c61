// Templates rendered as Jinja2 renders them, by recorded cases.

import Foundation
import InferSupport
import InferTemplates
import Testing

/// What several suites need.
enum Samples {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Fixtures")

    static func lines(_ name: String) throws -> [JSONValue] {
        let text = try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
        return try text.split(separator: "\n").map { try JSONValue(parsing: String($0)) }
    }

    static func input() throws -> JSONObject {
        let text = try String(contentsOf: folder.appendingPathComponent("input.json"), encoding: .utf8)
        return try #require(try JSONValue(parsing: text).object)
    }

    static func noon() throws -> TemplateDate { try TemplateDate(parsing: "2026-11-29T12:00:00") }

    /// The text of a template; throws what the rendering throws.
    static func render(
        _ source: String, _ variables: JSONObject = [:], marks: [String: String] = [:],
        limits: TemplateLimits = TemplateLimits()
    ) throws -> TemplateText {
        try Template(source).render(variables, marks: marks, now: noon(), limits: limits)
    }

    /// The error of a template.
    static func error(_ source: String, _ variables: JSONObject = [:], limits: TemplateLimits = TemplateLimits())
        -> InferenceError?
    {
        do {
            _ = try render(source, variables, limits: limits)
            return nil
        } catch {
            return error as? InferenceError
        }
    }
}

@Suite struct RenderingTests {
    @Test("each recorded template has the text or the error that Jinja2 gives") func recordedCases() throws {
        let input = try Samples.input()
        let cases = try Samples.lines("cases.jsonl")
        #expect(cases.count > 500)
        for value in cases {
            let template = try #require(value["template"]?.string)
            do {
                let text = try Samples.render(template, input)
                #expect(text.string == value["text"]?.string, "\(template)")
            } catch let error as InferenceError {
                if let raised = value["raised"]?.string {
                    #expect(error.code == .refusedByTemplate && error.message == raised, "\(template)")
                } else {
                    #expect(value["error"] != nil, "\(template): \(error)")
                    #expect(error.code == .unsupportedTemplate, "\(template)")
                }
            }
        }
    }

    @Test func errorsNameTheLine() throws {
        for (source, line, part) in [
            ("a\nb\n{{ x.y }}", 3, "'x' is undefined"),
            ("a\n{% if x %}\nb", 3, "'elif' or 'else' or 'endif'"),
            ("{% set x = {\n'a': 1,\n'b': 'c' + 1\n} %}", 3, "str"),
            ("\n{{ 'a' | nothing }}", 2, "no filter named 'nothing'"),
            ("\n\n{% unknown %}", 3, "unknown tag 'unknown'"),
            ("{{ 'a\n\n", 1, "a string without end"),
            ("{% include 'x' %}", 1, "'include' is not supported"),
        ] {
            let error = try #require(Samples.error(source))
            #expect(error.message.contains("line \(line): "), "\(error)")
            #expect(error.message.contains(part), "\(error)")
        }
    }

    @Test func datesAreThoseOfC() throws {
        let text = try Samples.render("{{ strftime_now('%a %-d %b %y, week %U, day %j, %-I %p %%') }}").string
        #expect(text == "Sun 29 Nov 26, week 48, day 333, 12 PM %")
        for wrong in ["2026-13-01", "2026-02-30", "x", "2026-11-29T25:00", ""] {
            #expect(throws: InferenceError.self) { try TemplateDate(parsing: wrong) }
        }
    }

    @Test func marksGoBeforeVariables() throws {
        let text = try Samples.render("{{ bos_token }}", ["bos_token": "x"], marks: ["bos_token": "<s>"])
        #expect(text.string == "<s>" && text.inputRanges.isEmpty)
    }
}

@Suite struct LimitTests {
    private func limits(_ change: (inout TemplateLimits) -> Void) -> TemplateLimits {
        var limits = TemplateLimits()
        change(&limits)
        return limits
    }

    @Test(arguments: [
        "{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% set ns = namespace(s='x') %}{% for i in range(100) %}{% set ns.s = ns.s + ns.s %}{% endfor %}{{ ns.s }}",
        "{{ 'x' * 1000000000 }}", "{{ [1] * 1000000000 }}", "{{ range(1000000000) }}", "{{ 'a'.center(9999999999) }}",
        "{{ 'a'|indent(9999999999) }}", "{{ '%999999999999s' % 1 }}", "{{ '{:999999999999}'.format(1) }}",
        "{{ '%.999999999f' % 1 }}", "{{ [1]|tojson(indent=999999999999) }}", "{{ 2 ** 100 }}",
        "{{ 9223372036854775807 + 1 }}", "{{ -9223372036854775807 - 2 }}", "{{ 9223372036854775807 * 2 }}",
        "{{ (-9223372036854775807 - 1) // -1 }}", "{{ 99999999999999999999 }}",
        "{% set l = [] %}{% set _ = l.append(l) %}{{ l }}", "{% set l = [] %}{% set _ = l.append(l) %}{{ l|tojson }}",
        "{% set ns = namespace(x=1) %}{% for i in range(2000) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x }}",
        "{% set ns = namespace(x='ab') %}{% for i in range(60) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x }}",
        "{{ 'x'.replace('', 'y' * 100000).replace('y', 'z' * 100000) }}",
        "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}", "{{ range(10)|batch(9999999999, 0)|list }}",
        "{{ range(10)|slice(9999999999, 0)|list|length }}", "{{ 'a'.zfill(9999999999) }}",
        "{{ '\t'.expandtabs(9999999999) }}", "{{ 'ab'|truncate(99999999999) ~ 1 // 0 }}",
    ])
    func whatIsTooMuchIsAnError(template: String) throws {
        let error = try #require(Samples.error(template, limits: limits { $0.steps = 1_000_000 }), "\(template)")
        #expect(error.code == .unsupportedTemplate)
    }

    @Test func deepSourcesAreRefused() throws {
        for (opening, closing) in [
            ("(", ")"), ("[", "]"), ("{1:", "}"), ("-", ""), ("not ", ""), ("1+", ""), ("1 if ", ""),
        ] {
            let source =
                "{{ " + String(repeating: opening, count: 100_000) + "1" + String(repeating: closing, count: 100_000)
            #expect(Samples.error(source + " }}") != nil)
        }
        for tag in ["{% if 1 %}", "{% for x in y %}", "{% set x %}", "{% filter upper %}", "{% macro m() %}"] {
            #expect(Samples.error(String(repeating: tag, count: 10_000)) != nil)
        }
        #expect(Samples.error("{{ x" + String(repeating: ".a", count: 100_000) + " }}") != nil)
        #expect(Samples.error("{{ x" + String(repeating: "|upper", count: 100_000) + " }}") != nil)
    }

    @Test func longChainsOfValuesAreDropped() throws {
        // Each list holds the one before; each scope and loop too.
        for template in [
            "{% set ns = namespace(x=1) %}{% for i in range(30000) %}{% set ns.x = [ns.x] %}{% endfor %}",
            "{% set ns = namespace(x=1) %}{% for i in range(30000) %}{% set ns.x = {'a': ns.x} %}{% endfor %}",
            "{% set ns = namespace(x=1) %}{% for i in range(30000) %}{% set ns.x = namespace(x=ns.x) %}{% endfor %}",
            "{% set ns = namespace(x=1) %}{% for i in range(30000) %}{% for j in [ns.x] %}{% set ns.x = loop %}"
                + "{% endfor %}{% endfor %}",
            "{% set ns = namespace(x=1) %}{% for i in range(30000) %}{% set p = ns.x %}{% macro m() %}{% endmacro %}"
                + "{% set ns.x = m %}{% endfor %}",
            "{% set ns = namespace(x=1) %}{% for i in range(30000) %}{% set ns.x = joiner(ns.x) %}{% endfor %}",
            "{% set ns = namespace(x=[]) %}{% for i in range(30000) %}{% set y = [] %}{% set _ = ns.x.append(y) %}"
                + "{% set ns.x = y %}{% endfor %}",
        ] {
            #expect(try Samples.render(template).bytes.isEmpty)
        }
    }

    @Test func eachLimitIsKept() throws {
        let loop = "{% for i in range(1000) %}{{ [i] }}{% endfor %}"
        #expect(Samples.error(loop, limits: limits { $0.steps = 1000 })?.message.contains("1000 steps") == true)
        #expect(Samples.error(loop, limits: limits { $0.textLength = 1000 })?.message.contains("1000 bytes") == true)
        #expect(Samples.error(loop, limits: limits { $0.containers = 100 })?.message.contains("more than 100") == true)
        let nested = "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(10) }}"
        #expect(Samples.error(nested, limits: limits { $0.depth = 30 })?.message.contains("30 levels") == true)
        #expect(try Samples.render(nested).bytes.isEmpty)
    }
}
