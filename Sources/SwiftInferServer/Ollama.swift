// Ollama's interface, which many editors have a picker for: /api/generate, /api/chat, and what describes the model.

#if Server

import Hummingbird
import InferSupport
import SwiftInfer

/// The routes under `/api`.
struct Ollama: Sendable {
    let state: ServerState

    func addRoutes(to router: Router<RequestInfo>) {
        router.post("/api/generate") { request, info in try await generate(request, info) }
        router.post("/api/chat") { request, info in try await chat(request, info) }
        router.get("/api/version") { _, _ in Response(["version": .string(state.options.version)]) }
        router.get("/api/tags") { _, _ in Response(["models": [Self.entry(try state.model())]]) }
        router.get("/api/ps") { _, _ in Response(["models": [Self.entry(try state.model())]]) }
        router.post("/api/show") { _, _ in Response(Self.description(of: try state.model())) }
    }

    private func generate(_ request: Request, _ info: RequestInfo) async throws -> Response {
        let served = try state.model()
        let reader = try await request.reader(state)
        var fields = try Self.fields(reader, served, info)
        let prompt = try reader.string("prompt") ?? ""
        let system = try reader.string("system")
        let suffix = try reader.string("suffix") ?? ""
        if prompt.isEmpty, suffix.isEmpty {
            // Clients load the model this way.
            return Response([
                "model": .string(served.name), "created_at": .string(UnixTime.text), "response": "", "done": true,
                "done_reason": "load",
            ])
        }
        let tokens: [TokenID]
        var parser: AnswerParser?
        if !suffix.isEmpty {
            let gap = InfillPrompt(prefix: prompt, suffix: suffix, repositoryName: served.options.repositoryName)
            tokens = try fields.tokens(of: gap, served, field: "suffix")
        } else if try reader.bool("raw") ?? false || (try? served.model.chatTemplate.get()) == nil {
            tokens = try fields.tokens(
                of: .text((system.map { $0 + "\n\n" } ?? "") + prompt, parsesSpecialTokens: true), served,
                field: "prompt")
        } else {
            var conversation = Conversation()
            if let system { conversation.messages.append(ChatMessage(role: .system, content: system)) }
            conversation.messages.append(ChatMessage(role: .user, content: prompt))
            fields.options.includesControlTokens = true
            let (chatTokens, chatParser) = try conversation.prompt(served, &fields, field: "prompt")
            (tokens, parser) = (chatTokens, chatParser)
        }
        return try await respond(OllamaAnswer(served: served, isChat: false, parser: parser), tokens, fields, info)
    }

    private func chat(_ request: Request, _ info: RequestInfo) async throws -> Response {
        let served = try state.model()
        let reader = try await request.reader(state)
        var fields = try Self.fields(reader, served, info)
        fields.options.includesControlTokens = true
        if let messages = reader.value("messages")?.array, messages.isEmpty {
            return Response([
                "model": .string(served.name), "created_at": .string(UnixTime.text),
                "message": ["role": "assistant", "content": ""], "done": true, "done_reason": "load",
            ])
        }
        let (tokens, parser) = try Conversation(reader).prompt(served, &fields)
        return try await respond(OllamaAnswer(served: served, isChat: true, parser: parser), tokens, fields, info)
    }

    /// The fields of `options`, with those of the request itself. Answers come in pieces unless `stream` is false.
    private static func fields(
        _ reader: RequestReader, _ served: ServedModel, _ info: RequestInfo
    ) throws(APIError) -> GenerationFields {
        if let images = reader.value("images"), images != .array([]) {
            throw .unsupported("images", "the model reads only text")
        }
        let options = try reader.reader("options") ?? RequestReader(JSONObject())
        var fields = try GenerationFields(options, served, owner: info.owner, limit: ["num_predict"])
        if let form = try AnswerForm(ollama: reader) { fields.options.grammar = form.grammar }
        fields.drafter = try served.drafter(reader.has("drafter") ? reader : options, owner: info.owner)
        fields.count = 1
        fields.isStream = try reader.bool("stream") ?? true
        return fields
    }

    private func respond(
        _ form: OllamaAnswer, _ tokens: [TokenID], _ fields: GenerationFields, _ info: RequestInfo
    ) async throws -> Response {
        let answers = try Answers(fields.requests(for: [tokens]), form.served, state, info)
        if fields.isStream { return Response(answers, as: form, format: .lines) }
        return Response(form.object(try await answers.all(count: 1)[0]))
    }

    // MARK: The model

    private static func details(_ served: ServedModel) -> JSONValue {
        let summary = served.model.summary
        return [
            "parent_model": "", "format": "gguf", "family": .string(summary.architecture),
            "families": [.string(summary.architecture)],
            "parameter_size": .string(parameterSize(summary.parameterCount)),
            "quantization_level": .string(summary.types.first.map { "\($0.type)".uppercased() } ?? ""),
        ]
    }

    private static func parameterSize(_ count: Int) -> String {
        let (value, unit) = count >= 1_000_000_000 ? (Double(count) / 1e9, "B") : (Double(count) / 1e6, "M")
        return "\((value * 10).rounded() / 10)\(unit)"
    }

    private static func entry(_ served: ServedModel) -> JSONValue {
        [
            "name": .string(served.name), "model": .string(served.name), "modified_at": .string(UnixTime.text),
            "size": .integer(served.model.summary.fileSize), "digest": "", "details": details(served),
        ]
    }

    private static func description(of served: ServedModel) -> JSONValue {
        let summary = served.model.summary
        let name = summary.architecture
        var capabilities: [JSONValue] = ["completion"]
        if served.tokenizer.infill.prefix != nil, served.tokenizer.infill.suffix != nil {
            capabilities.append("insert")
        }
        let template = served.model.chatTemplateText ?? ""
        if template.contains("tools") { capabilities.append("tools") }
        if template.contains("think") { capabilities.append("thinking") }
        var information: JSONObject = [
            "general.architecture": .string(name), "general.parameter_count": .integer(summary.parameterCount),
        ]
        information["general.basename"] = summary.name.map { .string($0) }
        information["\(name).context_length"] = .integer(served.scheduler.contextLength)
        information["\(name).embedding_length"] = summary.width.map { .integer($0) }
        information["\(name).block_count"] = summary.layers.map { .integer($0) }
        return [
            "modelfile": "", "parameters": "", "template": .string(template), "details": details(served),
            "model_info": .object(information), "capabilities": .array(capabilities),
            "modified_at": .string(UnixTime.text),
        ]
    }
}

/// Writes an answer as Ollama does.
private struct OllamaAnswer: AnswerStream {
    let served: ServedModel
    let isChat: Bool
    /// Finds thoughts and calls; nil where all is text.
    private let parser: AnswerParser?
    private var streamParser: AnswerParser?
    private let start = ContinuousClock.now

    init(served: ServedModel, isChat: Bool, parser: AnswerParser?) {
        (self.served, self.isChat, self.parser, streamParser) = (served, isChat, parser, parser)
    }

    private func piece(_ parsed: ParsedAnswer, _ statistics: Statistics? = nil) -> JSONValue {
        var object: JSONObject = ["model": .string(served.name), "created_at": .string(UnixTime.text)]
        if isChat {
            var message: JSONObject = ["role": "assistant", "content": .string(parsed.text)]
            if !parsed.thinking.isEmpty { message["thinking"] = .string(parsed.thinking) }
            if !parsed.calls.isEmpty {
                message["tool_calls"] = .array(
                    parsed.calls.map { ["function": ["name": .string($0.name), "arguments": .object($0.arguments)]] })
            }
            object["message"] = .object(message)
        } else {
            object["response"] = .string(parsed.text)
            if !parsed.thinking.isEmpty { object["thinking"] = .string(parsed.thinking) }
        }
        object["done"] = .bool(statistics != nil)
        guard let statistics else { return .object(object) }
        func nanoseconds(_ duration: Duration) -> JSONValue { .integer(Int(duration / .nanoseconds(1))) }
        object["done_reason"] = .string(statistics.openAIFinishReason)
        object["total_duration"] = nanoseconds(ContinuousClock.now - start)
        object["load_duration"] = 0
        object["prompt_eval_count"] = .integer(statistics.promptTokens)
        object["prompt_eval_duration"] = nanoseconds(statistics.promptDuration)
        object["eval_count"] = .integer(statistics.tokens.count)
        object["eval_duration"] = nanoseconds(statistics.decodeDuration)
        return .object(object)
    }

    func object(_ answer: Answer) -> JSONValue {
        var parsed = ParsedAnswer()
        if let parser { parsed = ParsedAnswer(answer, parser) } else { parsed.text = answer.text }
        return piece(parsed, answer.statistics)
    }

    mutating func pieces(for event: AnswerEvent) -> [StreamPiece] {
        switch event {
        case .text(_, let text, _):
            guard let parts = streamParser?.consume(text) else {
                var parsed = ParsedAnswer()
                parsed.text = text
                return [.data(piece(parsed))]
            }
            return pieces(for: parts)
        case .finished(_, let statistics, _):
            return pieces(for: streamParser?.finish() ?? []) + [.data(piece(ParsedAnswer(), statistics))]
        case .progress, .failed, .pause: return []
        }
    }

    private func pieces(for parts: [AnswerPart]) -> [StreamPiece] {
        parts.map { part in
            var parsed = ParsedAnswer()
            parsed.add([part])
            return .data(piece(parsed))
        }
    }

    func failure(_ error: APIError) -> StreamPiece { .data(["error": .string(error.message)]) }
}

#endif
