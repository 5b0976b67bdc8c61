// Asks questions about files: ChatWithTool MODEL [--call] [--template FILE] QUESTION…

import Foundation
import SwiftInfer

/// The arguments of the tool. The model is shown their schema.
struct File: Generable, Encodable {
    var path: String

    static var jsonSchema: JSONSchema {
        .object(["path": .string(length: 1...80).described("The path of the file, in the present folder.")])
    }
}

/// Asks `questions` one after the other.
func converse(_ path: String, template: String?, requiresCall: Bool, _ questions: [String]) async throws {
    let countLines = try Tool(name: "count_lines", description: "The number of lines of a text file.") { (file: File) in
        let text = try String(contentsOfFile: file.path, encoding: .utf8)
        return "\(text.split(separator: "\n", omittingEmptySubsequences: false).count) lines"
    }
    var loading = Model.Options()
    loading.chatTemplate = try template.map { .jinja(try String(contentsOfFile: $0, encoding: .utf8)) }
    let model = try Model(contentsOf: path, options: loading)
    let chat = Chat(
        try model.makeSession(), tools: [countLines], instructions: "You answer questions about files. Be brief.")
    var options = GenerationOptions(maximumTokens: 200)
    options.sampling = model.summary.recommendedSampling ?? options.sampling
    options.stopsLoops = true
    for question in questions {
        print("> \(question)")
        for try await event in chat.streamResponse(to: question, options: options, requiresToolCall: requiresCall) {
            switch event {
            case .toolCall(let call): print("(calls \(call.name) with \(JSONValue.object(call.arguments)))")
            case .toolResult(let result, _): print("(result: \(result))")
            case .text(let piece): print(piece, terminator: "")
            default: break
            }
        }
        print()
    }
}

var arguments = Array(CommandLine.arguments.dropFirst())
let requiresCall = arguments.contains("--call")
arguments.removeAll { $0 == "--call" }
var template: String?
if let place = arguments.firstIndex(of: "--template"), place + 1 < arguments.count {
    template = arguments[place + 1]
    arguments.removeSubrange(place...place + 1)
}
guard arguments.count > 1 else {
    print("usage: ChatWithTool MODEL [--call] [--template FILE] QUESTION…")
    exit(64)
}
do {
    try await converse(
        arguments[0], template: template, requiresCall: requiresCall, Array(arguments.dropFirst()))
} catch {
    print(error)
    exit(1)
}
