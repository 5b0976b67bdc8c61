// llama.cpp's interface for text: /completion and /infill, as llama.vim and llama.vscode use them.

#if Server

import Hummingbird
import InferSupport
import SwiftInfer

/// The routes `/completion` and `/infill`.
struct LlamaServer: Sendable {
    let state: ServerState

    func addRoutes(to router: Router<RequestInfo>) {
        for path: RouterPath in ["/completion", "/completions"] {
            router.post(path) { request, info in try await complete(request, info) }
        }
        router.post("/infill") { request, info in try await fill(request, info) }
    }

    private func complete(_ request: Request, _ info: RequestInfo) async throws -> Response {
        let served = try state.model()
        let reader = try await request.reader(state)
        let fields = try Self.fields(reader, served, info)
        let prompts = try Prompts(reader, served)
        return try await respond(reader, fields, prompts.tokens(served, fields), served, info)
    }

    /// llama.vim sends the text before the line as `input_prefix`, the line up to the cursor as `prompt`, and the rest as
    /// `input_suffix`.
    private func fill(_ request: Request, _ info: RequestInfo) async throws -> Response {
        let served = try state.model()
        let reader = try await request.reader(state)
        let fields = try Self.fields(reader, served, info)
        var prompt = InfillPrompt(
            prefix: (try reader.string("input_prefix") ?? "") + (try reader.string("prompt") ?? ""),
            suffix: try reader.string("input_suffix") ?? "",
            fileName: try reader.string("filename", "input_filename"),
            repositoryName: try reader.string("repository") ?? served.options.repositoryName)
        for chunk in try reader.objects("input_extra", limit: 1024) ?? [] {
            guard let text = try chunk.string("text") else { throw chunk.error("text", "is missing") }
            prompt.context.append(SourceFile(name: try chunk.string("filename") ?? "", text: text))
        }
        let tokens = try fields.tokens(of: prompt, served, field: "input_prefix")
        return try await respond(reader, fields, [tokens], served, info)
    }

    private static func fields(
        _ reader: RequestReader, _ served: ServedModel, _ info: RequestInfo
    ) throws(APIError) -> GenerationFields {
        var fields = try GenerationFields(reader, served, owner: info.owner, limit: ["n_predict", "max_tokens"])
        if let count = try GenerationFields.topTokens("n_probs", reader), count > 0 { fields.wantProbabilities(count) }
        // A slot is llama.cpp's place for a sequence. Here the scheduler finds the one with the longest common prefix.
        _ = try reader.integer("id_slot", -1...Int(Int32.max))
        return fields
    }

    private func respond(
        _ reader: RequestReader, _ fields: GenerationFields, _ prompts: [[TokenID]], _ served: ServedModel,
        _ info: RequestInfo
    ) async throws -> Response {
        let form = LlamaAnswer(
            served: served, responseFields: try reader.strings("response_fields", limit: 256),
            reportsProgress: fields.reportsProgress, reportsDrafts: fields.reportsDrafts,
            hasProbabilities: fields.topLogProbabilities != nil)
        let requests = fields.requests(for: prompts)
        let answers = try Answers(requests, served, state, info)
        if fields.isStream { return Response(answers, as: form, format: .events(endsWithDone: false)) }
        let objects = try await answers.all(count: requests.count).enumerated().map { form.object($1, index: $0) }
        return Response(objects.count == 1 ? objects[0] : .array(objects))
    }
}

/// Writes answers as llama.cpp's server does.
private struct LlamaAnswer: AnswerStream {
    let served: ServedModel
    /// The members that the client wants, with `/` between the names of nested ones; nil for all.
    let responseFields: [String]?
    let reportsProgress: Bool
    let reportsDrafts: Bool
    let hasProbabilities: Bool

    /// A whole answer.
    func object(_ answer: Answer, index: Int) -> JSONValue {
        let statistics = answer.statistics
        var object: JSONObject = [
            "index": .integer(index), "content": .string(answer.text),
            "tokens": .array(statistics.tokens.map { .integer(Int($0)) }), "stop": true,
        ]
        for member in end(statistics).members { object[member.key] = member.value }
        object["has_new_line"] = .bool(answer.text.contains("\n"))
        if hasProbabilities {
            object["completion_probabilities"] = .array(
                answer.tokens.map { $0.chatProbability(served.tokenizer, withID: true) })
        }
        return selected(object)
    }

    /// The members that only the end of an answer has.
    private func end(_ statistics: Statistics) -> JSONObject {
        let kind =
            switch statistics.finishReason {
            case .endOfText: "eos"
            case .stopString: "word"
            case .length, .contextFull: "limit"
            default: "none"
            }
        return [
            "id_slot": 0, "model": .string(served.name), "tokens_predicted": .integer(statistics.tokens.count),
            "tokens_evaluated": .integer(statistics.promptTokens),
            "truncated": .bool(statistics.finishReason == .contextFull), "stop_type": .string(kind),
            // Which of the texts it was is known only where there is one.
            "stopping_word": .string(statistics.stopString ?? ""),
            "tokens_cached": .integer(statistics.promptTokens + statistics.tokens.count),
            "timings": statistics.timings,
        ]
    }

    private func selected(_ object: JSONObject) -> JSONValue {
        guard let responseFields else { return .object(object) }
        var result = JSONObject()
        for path in responseFields {
            var value: JSONValue? = .object(object)
            for name in path.split(separator: "/", omittingEmptySubsequences: false) { value = value?[String(name)] }
            if let value { result[path] = value }
        }
        return .object(result)
    }

    func pieces(for event: AnswerEvent) -> [StreamPiece] {
        switch event {
        case .progress(let index, let evaluated, let total):
            guard reportsProgress else { return [.comment("prompt \(evaluated)/\(total)")] }
            return [
                .data([
                    "index": .integer(index), "content": "", "tokens": [], "stop": false,
                    "prompt_progress": AnswerEvent.progressMember(evaluated: evaluated, total: total),
                ])
            ]
        case .text(let index, let text, let tokens): return [piece(index, text, tokens)]
        case .finished(let index, let statistics, let tokens):
            var object: JSONObject = ["index": .integer(index), "content": "", "tokens": [], "stop": true]
            for member in end(statistics).members { object[member.key] = member.value }
            add(tokens, to: &object)
            return [.data(selected(object))]
        case .failed, .pause: return []
        }
    }

    private func piece(_ index: Int, _ text: String, _ tokens: [GeneratedToken]) -> StreamPiece {
        var object: JSONObject = [
            "index": .integer(index), "content": .string(text),
            "tokens": .array(tokens.map { .integer(Int($0.id)) }), "stop": false,
        ]
        add(tokens, to: &object)
        return .data(.object(object))
    }

    private func add(_ tokens: [GeneratedToken], to object: inout JSONObject) {
        if hasProbabilities {
            object["completion_probabilities"] = .array(
                tokens.map { $0.chatProbability(served.tokenizer, withID: true) })
        }
        if reportsDrafts { object["swiftinfer"] = tokens.draftNote }
    }
}

/// The prompts of a request for completions: a text, tokens, or an array of such prompts.
struct Prompts {
    /// One prompt.
    enum Item {
        case text(String)
        case tokens([TokenID])
    }

    private(set) var items: [Item] = []

    /// Reads the field `field`, of at most `limit` prompts.
    init(
        _ reader: RequestReader, _ served: ServedModel, field: String = "prompt", limit: Int = 64
    ) throws(APIError) {
        switch reader.value(field) {
        case nil: throw reader.error(field, "is missing")
        case .string(let text): items = [.text(text)]
        case .array(let elements):
            if case .integer? = elements.first {
                items = [.tokens(try reader.tokens(elements, field, vocabulary: served.tokenizer.count))]
                return
            }
            guard !elements.isEmpty else { throw reader.error(field, "is empty") }
            guard elements.count <= limit else { throw reader.error(field, "has more than \(limit) texts") }
            for (index, element) in elements.enumerated() {
                switch element {
                case .string(let text): items.append(.text(text))
                case .array(let ids):
                    let tokens = try reader.tokens(ids, "\(field)[\(index)]", vocabulary: served.tokenizer.count)
                    items.append(.tokens(tokens))
                default: throw reader.error("\(field)[\(index)]", "must be a string or an array of tokens")
                }
            }
        default: throw reader.error(field, "must be a string, an array of tokens, or an array of these")
        }
    }

    /// The tokens of each prompt. Control tokens that a text spells are control tokens: its author writes the whole prompt.
    func tokens(_ served: ServedModel, _ fields: GenerationFields) throws(APIError) -> [[TokenID]] {
        var result: [[TokenID]] = []
        for item in items {
            let prompt: Prompt =
                switch item {
                case .text(let text): .text(text, parsesSpecialTokens: true)
                case .tokens(let tokens): .tokens(tokens)
                }
            result.append(try fields.tokens(of: prompt, served, field: "prompt"))
        }
        return result
    }
}

#endif
