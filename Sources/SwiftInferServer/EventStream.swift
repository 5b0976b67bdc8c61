// Responses in pieces: server-sent events, and lines of JSON.

import HTTPTypes
import Hummingbird
import InferSupport
import NIOCore
import SwiftInfer

/// How the pieces of a response are written.
enum StreamFormat: Sendable {
    /// Server-sent events: `data: {…}`, with `data: [DONE]` at the end for OpenAI's interfaces.
    case events(endsWithDone: Bool)
    /// One JSON object in each line.
    case lines

    fileprivate var contentType: String {
        switch self {
        case .events: "text/event-stream; charset=utf-8"
        case .lines: "application/x-ndjson"
        }
    }

    fileprivate func write(_ pieces: [StreamPiece], to writer: inout any ResponseBodyWriter) async throws {
        let text = pieces.map { self.text(of: $0) }.joined()
        if !text.isEmpty { try await writer.write(ByteBuffer(string: text)) }
    }

    private func text(of piece: StreamPiece) -> String {
        switch (self, piece) {
        case (.events, .data(let json, let name)):
            (name.map { "event: \($0)\n" } ?? "") + "data: \(json)\n\n"
        case (.events, .comment(let text)): ": \(text)\n\n"
        case (.lines, .data(let json, _)): "\(json)\n"
        case (.lines, .comment): ""
        }
    }
}

/// A piece of a response.
enum StreamPiece: Sendable {
    /// An object, with the event's name where the interface has names.
    case data(JSONValue, event: String? = nil)
    /// What clients ignore; it keeps the connection open.
    case comment(String)
}

/// Turns the events of answers into the pieces of one interface.
protocol AnswerStream: Sendable {
    /// The pieces before the first event.
    mutating func begin() -> [StreamPiece]
    /// The pieces for an event. Errors and pauses do not come here.
    mutating func pieces(for event: AnswerEvent) -> [StreamPiece]
    /// The pieces after the last event.
    mutating func end() -> [StreamPiece]
    /// The piece for an error after the response has begun.
    func failure(_ error: APIError) -> StreamPiece
}

extension AnswerStream {
    func begin() -> [StreamPiece] { [] }
    func end() -> [StreamPiece] { [] }
    func failure(_ error: APIError) -> StreamPiece { .data(error.json) }
}

extension Response {
    /// A response that writes the answers as `stream` tells them.
    init(_ answers: Answers, as stream: some AnswerStream, format: StreamFormat) {
        self.init(
            status: .ok,
            headers: [
                .contentType: format.contentType, .cacheControl: "no-cache",
                // Proxies such as nginx would hold the pieces back.
                .xAccelBuffering: "no",
            ],
            body: ResponseBody { writer in
                var stream = stream
                try await format.write(stream.begin(), to: &writer)
                var isWhole = true
                for await event in answers.events {
                    switch event {
                    case .pause: try await format.write([.comment("waiting")], to: &writer)
                    case .failed(let error):
                        isWhole = false
                        try await format.write([stream.failure(APIError(error))], to: &writer)
                    default: try await format.write(stream.pieces(for: event), to: &writer)
                    }
                }
                if isWhole { try await format.write(stream.end(), to: &writer) }
                if case .events(endsWithDone: true) = format {
                    try await writer.write(ByteBuffer(string: "data: [DONE]\n\n"))
                }
                try await writer.finish(nil)
            })
    }
}

extension HTTPField.Name {
    fileprivate static let xAccelBuffering = HTTPField.Name("x-accel-buffering")!
}
