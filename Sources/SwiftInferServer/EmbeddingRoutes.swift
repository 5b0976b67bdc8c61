// Embeddings over HTTP: OpenAI's /v1/embeddings, and Ollama's /api/embed and /api/embeddings.

#if Server

import Foundation
import Hummingbird
import InferSupport
import SwiftInfer
import Synchronization

/// The routes that turn texts into vectors.
final class EmbeddingRoutes: Sendable {
    private let state: ServerState
    /// Requests that have begun and not ended. They take turns with the steps of generations.
    private let running = Mutex(0)
    /// The maximum number of texts of a request.
    private static let textLimit = 2048

    init(state: ServerState) { self.state = state }

    func addRoutes(to router: Router<RequestInfo>) {
        for path: RouterPath in ["/v1/embeddings", "/embeddings"] {
            router.post(path) { [self] request, _ in try await openAI(request) }
        }
        router.post("/api/embed") { [self] request, _ in try await ollama(request, field: "input") }
        router.post("/api/embeddings") { [self] request, _ in try await ollama(request, field: "prompt") }
    }

    private func openAI(_ request: Request) async throws -> Response {
        let served = try state.model()
        let reader = try await request.reader(state)
        try served.checkName(reader)
        let format = try reader.string("encoding_format") ?? "float"
        guard ["float", "base64"].contains(format) else {
            throw reader.error("encoding_format", "must be float or base64")
        }
        let length = served.model.embeddingLength
        if let dimensions = try reader.integer("dimensions", 1...Int.max), dimensions != length {
            throw APIError.unsupported("dimensions", "dimensions must be \(length): vectors are not shortened")
        }
        let (vectors, tokens) = try await embeddings(reader, served, field: "input")
        let data = vectors.enumerated().map { index, vector in
            [
                "object": "embedding", "index": .integer(index),
                "embedding": format == "base64" ? .string(Self.base64(vector)) : Self.array(vector),
            ] as JSONValue
        }
        return Response([
            "object": "list", "data": .array(data), "model": .string(served.name),
            "usage": ["prompt_tokens": .integer(tokens), "total_tokens": .integer(tokens)],
        ])
    }

    /// The field `input` is one text or several, `prompt` of the older route is one.
    private func ollama(_ request: Request, field: String) async throws -> Response {
        let served = try state.model()
        let reader = try await request.reader(state)
        let start = ContinuousClock.now
        let isOld = field == "prompt"
        if isOld, try reader.string(field) == nil { throw reader.error(field, "is missing") }
        let (vectors, tokens) = try await embeddings(reader, served, field: field)
        if isOld { return Response(["embedding": Self.array(vectors[0])]) }
        let duration = (ContinuousClock.now - start) / .nanoseconds(1)
        return Response([
            "model": .string(served.name), "embeddings": .array(vectors.map(Self.array)),
            "total_duration": .integer(Int(duration)), "load_duration": 0, "prompt_eval_count": .integer(tokens),
        ])
    }

    /// The vectors of all texts in `field`, and the number of their tokens.
    private func embeddings(
        _ reader: RequestReader, _ served: ServedModel, field: String
    ) async throws -> (vectors: [[Float]], tokens: Int) {
        let prompts = try Prompts(reader, served, field: field, limit: Self.textLimit)
        var texts: [[TokenID]] = []
        let limit = served.scheduler.contextLength
        for (index, item) in prompts.items.enumerated() {
            let name = prompts.items.count == 1 ? reader.name(field) : reader.name("\(field)[\(index)]")
            let tokens: [TokenID]
            do throws(InferenceError) {
                switch item {
                case .text(let text): tokens = try served.model.tokens(for: .text(text))
                case .tokens(let given): tokens = try served.model.tokens(for: .tokens(given))
                }
            } catch {
                throw APIError(error, field: name)
            }
            guard tokens.count <= limit else {
                throw APIError.invalid(
                    name, "\(name) has \(tokens.count) tokens, but at most \(limit) are allowed",
                    code: "context_length_exceeded")
            }
            texts.append(tokens)
        }
        try begin()
        defer { running.withLock { $0 -= 1 } }
        var vectors: [[Float]] = []
        for tokens in texts { vectors.append(try await served.model.embedding(of: .tokens(tokens))) }
        return (vectors, texts.reduce(0) { $0 + $1.count })
    }

    /// - Throws: ``APIError`` with 429 if as many requests wait as may wait for a generation.
    private func begin() throws(APIError) {
        let limit = state.options.scheduling.maximumWaiting + 1
        let isFull = running.withLock { count in
            guard count < limit else { return true }
            count += 1
            return false
        }
        if isFull { throw APIError(InferenceError(.busy, "\(limit) requests for embeddings are running already")) }
    }

    private static func array(_ vector: [Float]) -> JSONValue { .array(vector.map { .number(Double($0)) }) }

    /// The values as little-endian f32.
    private static func base64(_ vector: [Float]) -> String {
        var bytes: [UInt8] = []
        for value in vector { bytes.appendLittleEndian(value.bitPattern) }
        return Data(bytes).base64EncodedString()
    }
}

#endif
