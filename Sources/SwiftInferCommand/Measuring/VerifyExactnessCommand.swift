// `swiftinfer verify-exactness`: checks that drafting changes no bit of the logits.

import ArgumentParser
import InferEvaluation
import SwiftInfer

struct VerifyExactnessCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify-exactness",
        abstract: "Check that drafting changes no bit of a model's answers.",
        discussion: """
            Continues each prompt without drafting, then with every drafter and with four probes that know the answer (always \
            right, always wrong, random trees, widest trees), greedily and sampled, and compares every row of logits that \
            a token was chosen from. A row that differs in one bit is a mismatch, and the exit status is 1.
            """
    )

    @OptionGroup var model: ModelArgument

    @Option(
        help: ArgumentHelp(
            #"Prompts: one JSON object {"prompt":…} a line in a .jsonl file, or else one text (default: built-in ones)."#,
            valueName: "file"), completion: .file())
    var prompts: String?

    @Option(help: ArgumentHelp("Drafters to check besides the probes.", valueName: "names"))
    var drafters = DrafterList(DrafterChoice.all.filter { $0.description != DrafterChoice.none.description })

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Also check the prompts joined to one text and cut to these numbers of tokens.",
            valueName: "counts"))
    var lengths = CountList([])

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Numbers of rows of a step, to which drafts are cut in turn.", valueName: "counts"))
    var widths = CountList([2, 64, 5, 8, 3, 17, 4, 32, 7, 16, 9, 15, 1])

    @Option(name: .short, parsing: .unconditional, help: ArgumentHelp("Tokens of each answer.", valueName: "n"))
    var n = 48

    @Option(parsing: .unconditional, help: ArgumentHelp("Stop after this many prompts.", valueName: "n"))
    var limit: Int?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Number of sampling options, besides greedy, for each prompt: 0…3.", valueName: "n"))
    var samplings = 1

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Number of drafters and probes for each answer, which take turns (default: all).", valueName: "n"))
    var perAnswer: Int?

    @OptionGroup(title: "Engine") var engine: EngineOptions
    @OptionGroup(title: "Engine") var context: ContextOptions
    @OptionGroup(title: "Engine") var sources: CodeSwiftArguments

    @Flag(help: #"Print one JSON object {"prompts":…,"rows":…,"mismatches":…,…}."#)
    var json = false

    private struct Report: Encodable {
        let prompts: Int
        let rows: Int
        let mismatches: Int
        let runs: Int
        let drafted: Int
        let accepted: Int
        /// A hash over all rows of the answers without drafting, to compare machines, thread counts and builds.
        let plainHash: String

        enum CodingKeys: String, CodingKey {
            case prompts, rows, mismatches, runs, drafted, accepted
            case plainHash = "plain_hash"
        }
    }

    func validate() throws {
        if n < 1 { throw ValidationError("-n is \(n), but must be at least 1.") }
        if let limit, limit < 1 { throw ValidationError("--limit is \(limit), but must be at least 1.") }
        if let perAnswer, perAnswer < 1 {
            throw ValidationError("--per-answer is \(perAnswer), but must be at least 1.")
        }
        if !(0...3).contains(samplings) {
            throw ValidationError("--samplings is \(samplings), but must be from 0 to 3.")
        }
        if widths.counts.isEmpty { throw ValidationError("--widths must name at least one.") }
    }

    func run() async throws {
        let (model, _) = try engine.load(self.model.path(), for: context.options, count: 2)
        var check = ExactnessCheck(
            plain: try model.makeSession(context.options), drafted: try model.makeSession(context.options))
        check.drafters = drafters.drafters.map { sources.applied(to: $0, remembers: false) }
        check.widths = widths.counts
        check.tokens = n
        check.samplings = samplings
        check.contestantsPerAnswer = perAnswer ?? .max
        let prompts = try tokens(of: model)
        let bar = ProgressBar("verifying")
        let report = try await check.run(prompts.map { Prompt.tokens($0) }) { report in
            bar.update(
                Double(report.prompts) / Double(prompts.count),
                note: "\(report.rows) rows, \(report.mismatches) mismatches")
        }
        bar.clear()
        for difference in report.differences {
            Output.standardError(
                "prompt \(difference.prompt + 1), \(difference.drafter): row \(difference.row + 1) differs\n")
        }
        if json {
            try Output.json(
                Report(
                    prompts: report.prompts, rows: report.rows, mismatches: report.mismatches, runs: report.runs,
                    drafted: report.drafted, accepted: report.accepted,
                    plainHash: Format.hexadecimal(report.plainHash)))
        } else {
            Output.standardOutput(
                "\(report.prompts) prompts, \(report.runs) answers with drafting, \(report.rows) rows: "
                    + "\(report.mismatches) mismatches (\(report.drafted) draft nodes checked, \(report.accepted) accepted)\n"
            )
        }
        if report.mismatches > 0 { throw ExitCode.failure }
    }

    /// The prompts as tokens. Each leaves room for an answer in the context.
    private func tokens(of model: Model) throws -> [[TokenID]] {
        let texts = try prompts.map { try PromptFile.prompts(in: $0) } ?? ExactnessPrompts.texts
        let room = try context.options.contextLength(of: model) - n
        guard room > 0 else { throw ValidationError("The context has no room for \(n) tokens and a prompt.") }
        let all = try texts.map { try model.tokens(for: .text($0)) }
        var prompts = Array(all.prefix(limit ?? .max))
        let whole = all.joined()
        for length in lengths.counts where length <= min(whole.count, room) {
            prompts.append(Array(whole.prefix(length)))
        }
        return prompts.map { Array($0.suffix(room)) }
    }
}

/// The built-in prompts: code in several languages, prose, and repetitive texts, for which drafters draft many tokens.
private enum ExactnessPrompts {
    static let texts = [
        "def quicksort(items):\n    \"\"\"Sorts a list.\"\"\"\n    if len(items) <= 1:\n        return items\n",
        "struct Stack<Element> {\n    private var elements: [Element] = []\n\n    mutating func push(_ element: Element) {\n",
        "#include <stdio.h>\n\nint main(void) {\n    for (int i = 0; i < 10; i++) {\n        printf(\"%d\\n\", i);\n    }\n",
        "SELECT name, COUNT(*) FROM orders JOIN customers ON orders.customer = customers.id\nGROUP BY name;\n\nSELECT ",
        "The harbour was empty when the ship came in. Nobody had expected it before spring, and ",
        "one two three four five six seven one two three four five six seven one two three four",
        String(repeating: "    self.items.append(item)\n", count: 20),
        (0..<24).map { "case \($0): return table[\($0)]\n" }.joined(),
        "{\"id\": 1, \"name\": \"a\", \"tags\": [\"x\", \"y\"]},\n{\"id\": 2, \"name\": \"b\", \"tags\": [\"x\", \"z\"]},\n{\"id\": 3,",
        "Fix the function.\n\nBefore:\ndef area(w, h):\n    return w + h\n\nAfter:\ndef area(w, h):\n",
        "fn main() {\n    let numbers = vec![1, 2, 3];\n    let total: i32 = numbers.iter().sum();\n",
        "Ein Satz mit Umlauten: Äpfel, Öl, Übung. Ещё одна строка. 一行中文。 🙂\n",
    ]
}

/// A file with one prompt per line, or with one text.
private enum PromptFile {
    private struct Task: Decodable {
        let prompt: String
    }

    /// The prompts in the file at `path`: the member `prompt` of the JSON object on each line of a `.jsonl` file, or the whole
    /// content of another file.
    static func prompts(in path: String) throws -> [String] {
        guard path.hasSuffix(".jsonl") else { return [String(decoding: try InputText.file(path), as: UTF8.self)] }
        return try JSONLines.values(
            Task.self, in: InputText.file(path, limit: InputText.largestList), path: path,
            expecting: "a JSON object with a text named prompt"
        ).map(
            \.prompt)
    }
}
