// OpenAI's interface for text: /v1/completions, also with a suffix, and /v1/models.

#if Server

import Hummingbird
import InferSupport
import SwiftInfer

/// The routes `/v1/completions` and `/v1/models`.
struct OpenAICompletions: Sendable {
    let state: ServerState

    func addRoutes(to router: Router<RequestInfo>) {
        router.post("/v1/completions") { request, info in try await complete(request, info) }
        for path: RouterPath in ["/v1/models", "/models"] {
            router.get(path) { _, _ in
                Response(["object": "list", "data": [Self.description(of: try state.model(), state)]])
            }
        }
        router.get("/v1/models/:name") { _, info in
            let served = try state.model()
            guard info.parameters.get("name") == served.name else {
                throw APIError(
                    .notFound, "this server has only the model '\(served.name)'", field: "model",
                    code: "model_not_found")
            }
            return Response(Self.description(of: served, state))
        }
    }

    private static func description(of served: ServedModel, _ state: ServerState) -> JSONValue {
        let summary = served.model.summary
        return [
            "id": .string(served.name), "object": "model", "created": .integer(state.startTime),
            "owned_by": "swiftinfer",
            "meta": [
                "n_vocab": .integer(served.tokenizer.count), "n_ctx": .integer(served.scheduler.contextLength),
                "n_ctx_train": summary.contextLength.map { .integer($0) } ?? .null,
                "n_embd": summary.width.map { .integer($0) } ?? .null, "n_params": .integer(summary.parameterCount),
                "size": .integer(summary.fileSize),
            ],
        ]
    }

    private func complete(_ request: Request, _ info: RequestInfo) async throws -> Response {
        let served = try state.model()
        let reader = try await request.reader(state)
        try served.checkName(reader)
        var fields = try GenerationFields(
            reader, served, owner: info.owner, limit: ["max_tokens", "max_completion_tokens", "n_predict"])
        fields.wantProbabilities(try GenerationFields.topTokens("logprobs", reader))
        if let best = try reader.integer("best_of", 1...16), best != fields.count {
            throw APIError.unsupported("best_of", "best_of must equal n")
        }
        let prompts = try Prompts(reader, served)
        let tokens = try Self.tokens(reader, prompts, served, fields)
        let isEcho = try reader.bool("echo") ?? false
        if isEcho, fields.topLogProbabilities != nil {
            throw APIError.unsupported("echo", "echo and logprobs cannot be combined")
        }
        let form = CompletionAnswer(
            id: UnixTime.identifier("cmpl-"), created: UnixTime.now, served: served, fields: fields,
            promptCount: tokens.count,
            echo: isEcho ? tokens.map { served.tokenizer.decode($0, includingControl: false) } : [])
        let requests = fields.requests(for: tokens)
        let answers = try Answers(requests, served, state, info)
        if fields.isStream { return Response(answers, as: form, format: .events(endsWithDone: true)) }
        return Response(form.object(try await answers.all(count: requests.count)))
    }

    /// The tokens of each prompt. With a `suffix`, the prompt is the text before a gap.
    private static func tokens(
        _ reader: RequestReader, _ prompts: Prompts, _ served: ServedModel, _ fields: GenerationFields
    ) throws(APIError) -> [[TokenID]] {
        guard let suffix = try reader.string("suffix"), !suffix.isEmpty else {
            return try prompts.tokens(served, fields)
        }
        var result: [[TokenID]] = []
        for item in prompts.items {
            guard case .text(let prefix) = item else { throw reader.error("prompt", "must be a string beside suffix") }
            let prompt = InfillPrompt(
                prefix: prefix, suffix: suffix, repositoryName: served.options.repositoryName)
            result.append(try fields.tokens(of: prompt, served, field: "suffix"))
        }
        return result
    }
}

/// Writes answers as OpenAI's completions.
private struct CompletionAnswer: AnswerStream {
    let id: String
    let created: Int
    let served: ServedModel
    let fields: GenerationFields
    let promptCount: Int
    /// The texts of the prompts, if they come before the answers.
    let echo: [String]
    /// The statistics of the answers that have ended.
    private var ended: [Int: Statistics] = [:]
    /// The number of characters of each answer so far.
    private var offsets: [Int: Int] = [:]

    init(
        id: String, created: Int, served: ServedModel, fields: GenerationFields, promptCount: Int, echo: [String]
    ) {
        (self.id, self.created, self.served, self.fields) = (id, created, served, fields)
        (self.promptCount, self.echo) = (promptCount, echo)
    }

    private func frame(_ choices: [JSONValue]) -> JSONObject {
        [
            "id": .string(id), "object": "text_completion", "created": .integer(created), "model": .string(served.name),
            "system_fingerprint": .string("swiftinfer-" + served.options.version), "choices": .array(choices),
        ]
    }

    func object(_ answers: [Answer]) -> JSONValue {
        let choices = answers.enumerated().map { index, answer in
            var offset = 0
            return [
                "index": .integer(index), "text": .string(echoed(index) + answer.text),
                "logprobs": fields.topLogProbabilities != nil
                    ? answer.tokens.completionProbabilities(served.tokenizer, offset: &offset) : .null,
                "finish_reason": .string(answer.statistics.openAIFinishReason),
            ] as JSONValue
        }
        var object = frame(choices)
        object["usage"] = Statistics.usage(of: answers.map(\.statistics), prompts: promptCount)
        if answers.count == 1 { object["timings"] = answers[0].statistics.timings }
        return .object(object)
    }

    private func echoed(_ index: Int) -> String { echo.isEmpty ? "" : echo[index / fields.count] }

    mutating func begin() -> [StreamPiece] {
        guard !echo.isEmpty else { return [] }
        return (0..<promptCount * fields.count).map { .data(.object(frame([choice($0, echoed($0), [])]))) }
    }

    mutating func pieces(for event: AnswerEvent) -> [StreamPiece] {
        switch event {
        case .progress(let index, let evaluated, let total):
            guard fields.reportsProgress else { return [.comment("prompt \(evaluated)/\(total)")] }
            var object = frame([choice(index, "", [])])
            object["prompt_progress"] = AnswerEvent.progressMember(evaluated: evaluated, total: total)
            return [.data(.object(object))]
        case .text(let index, let text, let tokens):
            var object = frame([choice(index, text, tokens)])
            if fields.reportsDrafts { object["swiftinfer"] = tokens.draftNote }
            return [.data(.object(object))]
        case .finished(let index, let statistics, let tokens):
            ended[index] = statistics
            var object = frame([choice(index, "", tokens, reason: statistics.openAIFinishReason)])
            object["timings"] = statistics.timings
            if fields.reportsDrafts { object["swiftinfer"] = tokens.draftNote }
            return [.data(.object(object))]
        case .failed, .pause: return []
        }
    }

    private mutating func choice(
        _ index: Int, _ text: String, _ tokens: [GeneratedToken], reason: String? = nil
    ) -> JSONValue {
        [
            "index": .integer(index), "text": .string(text),
            "logprobs": fields.topLogProbabilities != nil
                ? tokens.completionProbabilities(served.tokenizer, offset: &offsets[index, default: 0]) : .null,
            "finish_reason": reason.map { .string($0) } ?? .null,
        ]
    }

    mutating func end() -> [StreamPiece] {
        guard fields.includesUsage else { return [] }
        var object = frame([])
        object["usage"] = Statistics.usage(
            of: ended.sorted { $0.key < $1.key }.map(\.value), prompts: promptCount)
        return [.data(.object(object))]
    }
}

#endif
