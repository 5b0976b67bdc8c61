// The options that fix the form of an answer.

import ArgumentParser
import InferSupport
import SwiftInfer

/// `--json-schema` and `--grammar`.
struct GrammarArguments: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Answer in JSON that follows the JSON schema in a file; - is standard input.", valueName: "path"),
        completion: .file())
    var jsonSchema: String?

    @Option(
        help: ArgumentHelp(
            "Answer with a text that the grammar in a file, in GBNF, allows; - is standard input.", valueName: "path"),
        completion: .file())
    var grammar: String?

    /// The most bytes of a schema or a grammar.
    private static let largestFile = 1 << 20

    func validate() throws {
        if jsonSchema != nil, grammar != nil { throw ValidationError("Give --json-schema or --grammar, not both.") }
    }

    /// Reads and compiles the grammar; nil without these options. Objects have only the properties that a schema names, unless it says
    /// otherwise.
    ///
    /// - Throws: ``InferenceError`` that names the file.
    func load() throws(InferenceError) -> Grammar? {
        guard let path = jsonSchema ?? grammar else { return nil }
        let bytes = try InputText.file(path, limit: Self.largestFile)
        do throws(InferenceError) {
            guard jsonSchema != nil else {
                guard let text = String(validating: bytes, as: UTF8.self) else {
                    throw InferenceError(.invalidArgument, "the grammar is not UTF-8")
                }
                return try Grammar(gbnf: text)
            }
            let style = JSONStyle(allowsUndeclaredProperties: false)
            return try Grammar(jsonSchema: JSONValue(parsing: bytes), style: style)
        } catch {
            throw InferenceError(error.code, "\(path): \(error.message)", cause: error.cause)
        }
    }
}
