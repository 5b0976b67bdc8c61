// The examples of README.md and the articles, so that they compile, and a test that the two agree.

import Foundation
import SwiftInfer
import TestSupport
import Testing

@Suite struct DocumentationExamplesTests {
    /// The checkout.
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..")
        .standardizedFileURL

    /// README.md and all articles.
    static let pages: [URL] = {
        let catalog = root.appending(path: "Sources/SwiftInfer/SwiftInfer.docc")
        let articles = try? FileManager.default.contentsOfDirectory(at: catalog, includingPropertiesForKeys: nil)
        return [root.appending(path: "README.md")]
            + (articles ?? []).filter { $0.pathExtension == "md" }.sorted { $0.path() < $1.path() }
    }()

    @Test func theArticlesAreFound() { #expect(Self.pages.count > 5) }

    @Test(arguments: pages) func everyExampleIsInThisFile(_ page: URL) throws {
        let here = Self.significantLines(try String(contentsOf: URL(filePath: #filePath), encoding: .utf8))
        for example in Self.examples(try String(contentsOf: page, encoding: .utf8)) {
            let imports = example.filter { $0.hasPrefix("import ") }
            #expect(imports.allSatisfy(here.contains))
            let body = Array(example.dropFirst(imports.count))
            let isHere = here.indices.contains { here[$0...].starts(with: body) }
            #expect(isHere, "\(page.lastPathComponent): copy this example here: \(body.joined(separator: "\n"))")
        }
    }

    /// The lines of each block with the info string `swift`.
    private static func examples(_ markdown: String) -> [[String]] {
        var examples: [[String]] = []
        var block: [Substring]?
        for line in markdown.split(separator: "\n", omittingEmptySubsequences: false) {
            let trimmed = line.trimmingCharacters(in: .whitespaces)
            if let lines = block, trimmed == "```" {
                examples.append(significantLines(lines.joined(separator: "\n")))
                block = nil
            } else if block != nil {
                block?.append(line)
            } else if trimmed == "```swift" {
                block = []
            }
        }
        return examples
    }

    /// The lines that are not empty, without indentation and without comments behind code.
    private static func significantLines(_ text: String) -> [String] {
        text.split(separator: "\n").compactMap { line in
            let line = line.trimmingCharacters(in: .whitespaces)
            let end = line.range(of: "  //")?.lowerBound ?? line.endIndex
            return line.isEmpty ? nil : line[..<end].trimmingCharacters(in: .whitespaces)
        }
    }

    /// The drafter of the article AddingADrafter drafts, and the answer is that of plain decoding.
    @Test func theExampleDrafterChangesNothing() async throws {
        let model = try Fixture.model()
        let prompt = Prompt.text("for i in range(10):\n    print(i)\nfor i in range(10):\n    print(")
        let plain = try await model.makeSession(.plain).respond(to: prompt, options: .exactly(48)).statistics
        let choice = DrafterChoice("trigram") { _ in TrigramDrafter() }
        var options = GenerationOptions.exactly(48)
        options.draftWidth = .fixed(7)
        let drafted = try await model.makeSession(.init(drafter: choice)).respond(to: prompt, options: options)
            .statistics
        #expect(drafted.draft.drafted > 0)
        #expect(drafted.tokens == plain.tokens)
        #expect(drafted.logitsHash == plain.logitsHash)
    }
}

// MARK: README.md

private func readMe(before: String, after: String) async throws {
    let model = try Model(contentsOf: "qwen2.5-coder-1.5b-q8_0.gguf")
    let session = try model.makeSession()
    for try await event in session.generate(.infill(prefix: before, suffix: after)) {
        if case .text(let piece) = event { print(piece, terminator: "") }
    }
}

// MARK: SwiftInfer.md

private func overview() async throws {
    let model = try Model(contentsOf: "smollm2-135m-instruct.gguf")
    let session = try model.makeSession()
    print(try await session.respond(to: .text("def fibonacci(n):")).text)
}

// MARK: Embedding.md

private func loading(path: String) throws -> Session {
    let model = try Model(contentsOf: path) { share in
        print("loading: \(Int(share * 100)) %")
    }
    print(model.summary)
    let options = Session.Options(contextLength: 8192)
    print(try model.memoryEstimate(for: options), "bytes")
    let session = try model.makeSession(options)
    return session
}

private func changingLogits() -> GenerationOptions {
    struct WithoutRepetition: LogitProcessor {
        let onlyMasks = true
        func allows(_ token: TokenID, after tokens: [TokenID]) -> Bool { token != tokens.last }
    }

    var varied = GenerationOptions(maximumTokens: 100)
    varied.logitProcessors = [WithoutRepetition()]
    return varied
}

private func scoring(session: Session) async throws {
    let tokens = try await session.score(" return a + b", after: .text("def add(a, b):"), topLogProbabilities: 3)
    print(tokens.compactMap(\.logProbability).reduce(0, +), tokens.first?.top.map(\.id) ?? [])
}

private func loadingElsewhere() async throws {
    let coder = try await Model.load(named: "qwen2.5-coder-1.5b")
    let chatter = try await Model.load(from: URL(fileURLWithPath: "smollm2.gguf")) { print("\(Int($0 * 100)) %") }
    print(coder.memoryUse)
    await chatter.unload()
}

private func readingOptions() throws -> GenerationOptions {
    let json = #"{"maximumTokens": 200, "sampling": {"temperature": 0.7, "topP": 0.95}, "stop": ["\n\n"]}"#
    let read = try JSONDecoder().decode(GenerationOptions.self, from: Data(json.utf8))
    return read
}

private func textsAsVectors(model: Model) async throws {
    let vectors = [
        try await model.embedding(of: "func add(a: Int, b: Int) -> Int"),
        try await model.embedding(of: "def sum_of_two(x, y):"),
    ]
    print(zip(vectors[0], vectors[1]).reduce(0) { $0 + $1.0 * $1.1 })
}

private func streaming(session: Session) async throws {
    var settings = GenerationOptions(maximumTokens: 200, stop: ["\n\n"])
    settings.sampling.temperature = 0.7
    settings.sampling.topP = 0.95
    settings.sampling.seed = 42

    for try await event in session.generate(.text("func greet("), options: settings) {
        switch event {
        case .progress(let evaluated, let total): print("prompt: \(evaluated) of \(total)")
        case .token: break
        case .text(let piece): print(piece, terminator: "")
        case .finished(let statistics): print("\n\(statistics.finishReason)")
        }
    }
}

private func conversing(session: Session) async throws -> Data {
    let chat = Chat(session, instructions: "Answer in one sentence.")
    print(try await chat.respond(to: "Name a sorting algorithm.").text)
    for try await event in chat.streamResponse(to: "Show it in Swift.") {
        if case .text(let piece) = event { print(piece, terminator: "") }
    }
    let saved = try JSONEncoder().encode(chat.transcript)
    try chat.changeTranscript { $0.removeLastTurn() }
    return saved
}

private func infilling(session: Session, textBeforeCursor: String, textAfterCursor: String) async throws -> Response {
    let completion = try await session.respond(
        to: .infill(prefix: textBeforeCursor, suffix: textAfterCursor),
        options: GenerationOptions(maximumTokens: 64))
    return completion
}

private func failing() {
    do {
        _ = try Model(contentsOf: "missing.gguf")
    } catch InferenceError.Code.unreadableFile {
        print("there is no such model")
    } catch {
        print(error.code, error.message)
    }
}

// MARK: Drafting.md

private func choosingADrafter(model: Model, prompt: String) async throws {
    let session = try model.makeSession(Session.Options(drafter: .none))
    try await session.use(.promptLookup)
    let response = try await session.respond(to: .text(prompt))
    print(response.statistics.tokensPerStep ?? 1, response.statistics.draft.accepted)
}

private func usingCodeSwift(session: Session) async throws {
    let sources = CodeSwiftOptions(
        repository: .folder("/path/to/project"), datastores: ["stdlib.store"], cache: .userFolder)
    try await session.use(.codeSwift(sources))
}

// MARK: Datastores.md

private func buildingADatastore(model: Model) throws {
    var builder = DatastoreBuilder(for: model)
    try builder.add("/path/to/stdlib")
    let store = try builder.write(to: "stdlib.store")
    print(store.documentCount, "documents,", store.tokenCount, "tokens")
}

private func usingADatastore(model: Model) throws -> Session {
    let stored = CodeSwiftOptions(datastores: ["common.store"])
    let session = try model.makeSession(Session.Options(drafter: .codeSwift(stored)))
    return session
}

// MARK: Exactness.md

private func comparingHashes(session: Session, prompt: String) async throws {
    var hashing = GenerationOptions(maximumTokens: 64)
    hashing.hashesLogits = true
    let drafted = try await session.respond(to: .text(prompt), options: hashing)
    hashing.usesDrafter = false
    let plain = try await session.respond(to: .text(prompt), options: hashing)
    print(drafted.statistics.logitsHash == plain.statistics.logitsHash)
}

// MARK: ChatTemplates.md

private func chattingWithTools(session: Session) async throws {
    struct FileName: Generable, Encodable {
        var path: String

        static var jsonSchema: JSONSchema { .object(["path": .string()]) }
    }

    let readFile = try Tool(name: "read_file", description: "Reads a file of the project.") { (file: FileName) in
        try String(contentsOfFile: file.path, encoding: .utf8)
    }
    let assistant = Chat(session, tools: [readFile], instructions: "You answer questions about a project.")
    for try await event in assistant.streamResponse(to: "What is in Package.swift?") {
        switch event {
        case .toolCall(let call): print("calls \(call.name) with \(JSONValue.object(call.arguments))")
        case .toolResult(let result, _): print("\(result.count) characters")
        case .text(let piece): print(piece, terminator: "")
        default: break
        }
    }
}

private func callingTools(model: Model, session: Session) async throws {
    let tool = ToolDefinition(
        name: "read_file", description: "Reads a file of the project.",
        parameters: ["type": "object", "properties": ["path": ["type": "string"]], "required": ["path"]])
    let chat = ChatOptions(tools: [tool])
    var messages = [ChatMessage(role: .user, content: "What is in Package.swift?")]
    var settings = GenerationOptions(maximumTokens: 200)
    settings.includesControlTokens = true

    var parser = try model.answerParser(for: messages, options: chat)
    for try await event in session.generate(.chat(messages, options: chat), options: settings) {
        guard case .text(let piece) = event else { continue }
        for case .text(let text) in parser.consume(piece) { print(text, terminator: "") }
    }
    for case .text(let text) in parser.finish() { print(text) }
    messages.append(parser.message)
    for call in parser.message.toolCalls {
        messages.append(ChatMessage(resultOf: call, content: "the result of \(call.name)"))
    }
}

// MARK: StructuredOutput.md

private func followingASchema(session: Session) async throws {
    let schema: JSONSchema = .object([
        "name": .string(length: 1...40), "minutes": .integer(1...600),
        "difficulty": .oneOf("easy", "medium", "hard"), "steps": .array(of: .string(), count: 1...10),
    ])
    var recipeOptions = GenerationOptions(maximumTokens: 500)
    recipeOptions.grammar = try schema.grammar()
    let recipe = try await session.respond(to: .text("A recipe for soup, in JSON:\n"), options: recipeOptions).text
    print(recipe)
}

private func decodingAValue(session: Session) async throws {
    struct Weather: Generable, Encodable {
        var city: String
        var degrees: Double
        var warning: String?

        static var jsonSchema: JSONSchema {
            get throws(InferenceError) { try JSONSchema(example: Weather(city: "Oslo", degrees: -3.5)) }
        }
    }

    let weather = try await session.respond(to: .text("The weather in Rome, in JSON:\n"), generating: Weather.self)
        .content
    print(weather)
}

// MARK: AddingADrafter.md

/// Proposes what followed the last three tokens before, and the model's top tokens after the last one.
final class TrigramDrafter: Drafter {
    let name = "trigram"
    let topTokensWanted = 4

    private var text: [TokenID] = []
    /// For each three tokens, the position behind their latest occurrence.
    private var places: [[TokenID]: Int] = [:]
    /// For each token, the model's latest top tokens after it.
    private var preferences: [TokenID: [TokenID]] = [:]

    func reset(to tokens: [TokenID]) {
        text = []
        places = [:]
        append(tokens)
    }

    func draft(into tree: inout DraftTree, limit: Int) {
        if let place = places[Array(text.suffix(3))] {
            tree.insert(chain: text[place...].prefix(min(limit, 10)), acceptance: 0.7, tag: 1)
        }
        guard let last = text.last else { return }
        for token in preferences[last] ?? [] where tree.count < limit {
            tree.insert(token, value: 0.2, tag: 2)
        }
    }

    func observe(_ outcome: DraftOutcome) {
        if let last = text.last {
            preferences[last] = outcome.topTokens(after: DraftTree.root).map(\.token)
        }
        append(outcome.tokens)
    }

    private func append(_ tokens: [TokenID]) {
        for token in tokens {
            if text.count >= 3 { places[Array(text.suffix(3))] = text.count }
            text.append(token)
        }
    }
}

private func usingTheTrigramDrafter(session: Session, prompt: String) async throws {
    try await session.use(DrafterChoice("trigram") { _ in TrigramDrafter() })
    let answer = try await session.respond(to: .text(prompt), options: GenerationOptions(maximumTokens: 64))
    print(answer.statistics.draft.accepted, "of", answer.statistics.draft.drafted, "nodes accepted")
}
