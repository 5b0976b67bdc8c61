// OpenAI's interface for conversations: /v1/chat/completions, with tools and thoughts.

#if Server

import Hummingbird
import InferSupport
import SwiftInfer

/// The routes `/v1/chat/completions` and `/apply-template`.
struct OpenAIChat: Sendable {
    let state: ServerState

    func addRoutes(to router: Router<RequestInfo>) {
        for path: RouterPath in ["/v1/chat/completions", "/chat/completions"] {
            router.post(path) { request, info in try await answer(request, info) }
        }
        router.post("/apply-template") { request, _ in
            let served = try state.model()
            let conversation = try Conversation(try await request.reader(state))
            do throws(InferenceError) {
                let text = try served.model.chatTemplate.get().render(
                    conversation.messages, options: conversation.options)
                return Response(["prompt": .string(text.text)])
            } catch {
                throw APIError(error, field: "messages")
            }
        }
    }

    private func answer(_ request: Request, _ info: RequestInfo) async throws -> Response {
        let served = try state.model()
        let reader = try await request.reader(state)
        try served.checkName(reader)
        var fields = try GenerationFields(
            reader, served, owner: info.owner, limit: ["max_completion_tokens", "max_tokens", "n_predict"])
        fields.options.includesControlTokens = true
        if try reader.bool("logprobs") ?? false {
            fields.wantProbabilities(try GenerationFields.topTokens("top_logprobs", reader) ?? 0)
        }
        let (tokens, parser) = try Conversation(reader).prompt(served, &fields)
        let form = ChatAnswer(served: served, fields: fields, parser: parser)
        let requests = fields.requests(for: [tokens])
        let answers = try Answers(requests, served, state, info)
        if fields.isStream { return Response(answers, as: form, format: .events(endsWithDone: true)) }
        return Response(form.object(try await answers.all(count: requests.count)))
    }
}

extension ToolCall {
    /// The call as OpenAI writes it.
    func openAI(index: Int? = nil) -> JSONValue {
        var object = JSONObject()
        if let index { object["index"] = .integer(index) }
        object["id"] = .string(id)
        object["type"] = "function"
        object["function"] = ["name": .string(name), "arguments": .string(JSONValue.object(arguments).description)]
        return .object(object)
    }
}

/// Writes answers as OpenAI's chat.
struct ChatAnswer: AnswerStream {
    let id = UnixTime.identifier("chatcmpl-")
    let created = UnixTime.now
    let served: ServedModel
    let fields: GenerationFields
    private let parser: AnswerParser
    /// The parser of each answer, and the number of its calls.
    private var parsers: [AnswerParser]
    private var callCounts: [Int]
    private var ended: [Int: Statistics] = [:]

    init(served: ServedModel, fields: GenerationFields, parser: AnswerParser) {
        (self.served, self.fields, self.parser) = (served, fields, parser)
        parsers = Array(repeating: parser, count: fields.count)
        callCounts = Array(repeating: 0, count: fields.count)
    }

    private func frame(_ kind: String, _ choices: [JSONValue]) -> JSONObject {
        [
            "id": .string(id), "object": .string(kind), "created": .integer(created), "model": .string(served.name),
            "system_fingerprint": .string("swiftinfer-" + served.options.version), "choices": .array(choices),
        ]
    }

    func object(_ answers: [Answer]) -> JSONValue {
        let choices = answers.enumerated().map { index, answer in
            let parsed = ParsedAnswer(answer, parser)
            var message: JSONObject = ["role": "assistant"]
            message["content"] = parsed.text.isEmpty && !parsed.calls.isEmpty ? .null : .string(parsed.text)
            if !parsed.thinking.isEmpty { message["reasoning_content"] = .string(parsed.thinking) }
            if !parsed.calls.isEmpty { message["tool_calls"] = .array(parsed.calls.map { $0.openAI() }) }
            return [
                "index": .integer(index), "message": .object(message),
                "logprobs": fields.topLogProbabilities != nil
                    ? answer.tokens.chatProbabilities(served.tokenizer) : .null,
                "finish_reason": .string(reason(answer.statistics, hasCalls: !parsed.calls.isEmpty)),
            ] as JSONValue
        }
        var object = frame("chat.completion", choices)
        object["usage"] = Statistics.usage(of: answers.map(\.statistics))
        if answers.count == 1 { object["timings"] = answers[0].statistics.timings }
        return .object(object)
    }

    private func reason(_ statistics: Statistics, hasCalls: Bool) -> String {
        let reason = statistics.openAIFinishReason
        return hasCalls && reason == "stop" ? "tool_calls" : reason
    }

    private func chunk(
        _ index: Int, _ delta: JSONObject, _ tokens: [GeneratedToken] = [], reason: String? = nil
    ) -> JSONObject {
        var choice: JSONObject = ["index": .integer(index), "delta": .object(delta)]
        if fields.topLogProbabilities != nil { choice["logprobs"] = tokens.chatProbabilities(served.tokenizer) }
        choice["finish_reason"] = reason.map { .string($0) } ?? .null
        var object = frame("chat.completion.chunk", [.object(choice)])
        if fields.reportsDrafts { object["swiftinfer"] = tokens.draftNote }
        return object
    }

    mutating func begin() -> [StreamPiece] {
        (0..<fields.count).map { .data(.object(chunk($0, ["role": "assistant", "content": ""]))) }
    }

    mutating func pieces(for event: AnswerEvent) -> [StreamPiece] {
        switch event {
        case .progress(let index, let evaluated, let total):
            guard fields.reportsProgress else { return [.comment("prompt \(evaluated)/\(total)")] }
            var object = chunk(index, [:])
            object["prompt_progress"] = AnswerEvent.progressMember(evaluated: evaluated, total: total)
            return [.data(.object(object))]
        case .text(let index, let text, let tokens): return deltas(index, parsers[index].consume(text), tokens)
        case .finished(let index, let statistics, let tokens):
            ended[index] = statistics
            var pieces = deltas(index, parsers[index].finish(), tokens)
            var object = chunk(index, [:], reason: reason(statistics, hasCalls: callCounts[index] > 0))
            object["timings"] = statistics.timings
            pieces.append(.data(.object(object)))
            return pieces
        case .failed, .pause: return []
        }
    }

    /// The pieces for parts of an answer. The tokens go with the first.
    private mutating func deltas(_ index: Int, _ parts: [AnswerPart], _ tokens: [GeneratedToken]) -> [StreamPiece] {
        var rest = tokens
        var pieces: [StreamPiece] = []
        for part in parts {
            let delta: JSONObject
            switch part {
            case .text(let text): delta = ["content": .string(text)]
            case .thinking(let text): delta = ["reasoning_content": .string(text)]
            case .toolCall(let call):
                delta = ["tool_calls": [call.openAI(index: callCounts[index])]]
                callCounts[index] += 1
            }
            pieces.append(.data(.object(chunk(index, delta, rest))))
            rest = []
        }
        // Tokens of marks give no part, but their probabilities and drafts count.
        if !rest.isEmpty, fields.topLogProbabilities != nil || fields.reportsDrafts {
            pieces.append(.data(.object(chunk(index, [:], rest))))
        }
        return pieces
    }

    mutating func end() -> [StreamPiece] {
        guard fields.includesUsage else { return [] }
        var object = frame("chat.completion.chunk", [])
        object["usage"] = Statistics.usage(of: ended.sorted { $0.key < $1.key }.map(\.value))
        return [.data(.object(object))]
    }
}

#endif
