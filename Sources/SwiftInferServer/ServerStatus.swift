// What the server says about itself and its model: health, properties, slots, metrics; and the tokenizer on request.

#if Server

import HTTPTypes
import Hummingbird
import InferSupport
import NIOCore
import SwiftInfer

/// The routes `/health`, `/props`, `/slots`, `/metrics`, `/tokenize` and `/detokenize`, as llama.cpp's server has them.
struct ServerStatus: Sendable {
    let state: ServerState

    func addRoutes(to router: Router<RequestInfo>) {
        for path: RouterPath in ["/health", "/v1/health"] {
            router.get(path) { _, _ in
                _ = try state.model()
                return Response(["status": "ok"])
            }
        }
        router.get("/props") { _, _ in Response(Self.properties(try state.model(), state)) }
        router.get("/slots") { _, _ in Response(Self.slots(try state.model())) }
        router.get("/metrics") { _, _ in
            let text = state.metrics.text(state, try state.model())
            return Response(
                status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
        }
        router.post("/tokenize") { request, _ in
            let served = try state.model()
            return Response(try Self.tokenize(try await request.reader(state), served))
        }
        router.post("/detokenize") { request, _ in
            let served = try state.model()
            let reader = try await request.reader(state)
            guard let tokens = try reader.tokens("tokens", vocabulary: served.tokenizer.count) else {
                throw reader.error("tokens", "is missing")
            }
            return Response(["content": .string(served.tokenizer.decode(tokens))])
        }
    }

    private static func tokenize(_ reader: RequestReader, _ served: ServedModel) throws(APIError) -> JSONValue {
        guard let text = try reader.string("content") else { throw reader.error("content", "is missing") }
        let tokens = served.tokenizer.encode(
            text, addSpecial: try reader.bool("add_special") ?? false,
            parseSpecial: try reader.bool("parse_special") ?? true)
        guard try reader.bool("with_pieces") ?? false else {
            return ["tokens": .array(tokens.map { .integer(Int($0)) })]
        }
        let pieces = tokens.map { token in
            let bytes = Array(served.tokenizer.bytes(of: token))
            let text = String(decoding: bytes, as: UTF8.self)
            let isText = text.utf8.elementsEqual(bytes)
            return [
                "id": .integer(Int(token)),
                "piece": isText ? .string(text) : .array(bytes.map { .integer(Int($0)) }),
            ] as JSONValue
        }
        return ["tokens": .array(pieces)]
    }

    private static func properties(_ served: ServedModel, _ state: ServerState) -> JSONValue {
        let sampling = served.options.sampling
        let tokenizer = served.tokenizer
        func text(_ token: TokenID?) -> JSONValue { token.flatMap(tokenizer.text(of:)).map { .string($0) } ?? "" }
        let marks = tokenizer.infill
        return [
            "default_generation_settings": [
                "n_ctx": .integer(served.scheduler.contextLength),
                "params": [
                    "temperature": .number(Double(sampling.temperature)), "top_k": .integer(sampling.topK),
                    "top_p": .number(Double(sampling.topP)), "min_p": .number(Double(sampling.minP)),
                    "repeat_penalty": .number(Double(sampling.repeatPenalty)), "n_predict": -1,
                ],
            ],
            "total_slots": .integer(served.options.scheduling.sequences), "model_alias": .string(served.name),
            "model_path": .string(served.name), "modalities": ["vision": false, "audio": false],
            "chat_template": .string(served.model.chatTemplateText ?? ""), "bos_token": text(tokenizer.bos),
            "eos_token": text(tokenizer.eos), "can_fill_gaps": .bool(marks.prefix != nil && marks.suffix != nil),
            "drafters": .array(DrafterChoice.all.map { .string($0.description) }),
            "build_info": .string("swiftinfer " + served.options.version),
        ]
    }

    private static func slots(_ served: ServedModel) -> JSONValue {
        .array(
            served.scheduler.status.sequences.map { sequence in
                [
                    "id": .integer(sequence.id), "n_ctx": .integer(served.scheduler.contextLength),
                    "is_processing": .bool(sequence.isProcessing), "n_past": .integer(sequence.tokenCount),
                    "n_prompt_tokens": .integer(sequence.promptTokens),
                    "next_token": [["n_decoded": .integer(sequence.generatedTokens)]],
                ]
            })
    }
}

#endif
