// Completes a function in a file: CompleteFunction MODEL FILE LINE [--write]

import Foundation
import SwiftInfer

/// The text for the place at the end of line `line`, such as one with `def f(x):` or `func f(x: Int) {`.
func complete(_ file: URL, line: Int, model path: String, writes: Bool) async throws -> String {
    let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n", omittingEmptySubsequences: false)
    guard (1...lines.count).contains(line) else {
        throw InferenceError(.invalidArgument, "\(file.path) has \(lines.count) lines, but no line \(line)")
    }
    let before = lines[..<line].joined(separator: "\n") + "\n"
    let after = "\n" + lines[line...].joined(separator: "\n")

    let session = try Model(contentsOf: path).makeSession()
    var options = GenerationOptions(maximumTokens: 200)
    options.stopsLoops = true
    // The body is indented more than its first line.
    options.minimumIndentation = lines[line - 1].prefix { $0 == " " || $0 == "\t" }.count + 1
    let completion: String
    do {
        completion = try await session.respond(to: .infill(prefix: before, suffix: after), options: options).text
    } catch InferenceError.Code.unsupportedTokenizer {
        // The model has no tokens for gaps.
        completion = try await session.respond(to: .text(before), options: options).text
    } catch {
        throw error
    }
    if writes { try (before + completion + after).write(to: file, atomically: true, encoding: .utf8) }
    return completion
}

var arguments = Array(CommandLine.arguments.dropFirst())
let writes = arguments.contains("--write")
arguments.removeAll { $0 == "--write" }
guard arguments.count == 3, let line = Int(arguments[2]) else {
    print("usage: CompleteFunction MODEL FILE LINE [--write]")
    exit(64)
}
do {
    print(
        try await complete(URL(fileURLWithPath: arguments[1]), line: line, model: arguments[0], writes: writes))
} catch {
    print(error)
    exit(1)
}
