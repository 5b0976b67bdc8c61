// Responses in pieces: server-sent events, and lines of JSON.

#if Server

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

    fileprivate func buffer(_ pieces: [StreamPiece]) -> ByteBuffer {
        ByteBuffer(string: pieces.map { text(of: $0) }.joined())
    }

    private func text(of piece: StreamPiece) -> String {
        switch (self, piece) {
        case (.events, .data(let json, let name)):
            (name.map { "event: \($0)\n" } ?? "") + "data: \(json)\n\n"
        case (.events, .comment(let text)): ": \(text)\n\n"
        case (.events, .done): "data: [DONE]\n\n"
        case (.lines, .data(let json, _)): "\(json)\n"
        case (.lines, .comment), (.lines, .done): ""
        }
    }
}

/// A piece of a response.
enum StreamPiece: Sendable {
    /// An object, with the event's name where the interface has names.
    case data(JSONValue, event: String? = nil)
    /// What clients ignore; it keeps the connection open.
    case comment(String)
    /// The end, where the interface marks it.
    case done
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
        var headers: HTTPFields = [.contentType: format.contentType, .cacheControl: "no-cache"]
        // Proxies such as nginx would hold the pieces back.
        if let name = HTTPField.Name("x-accel-buffering") { headers[name] = "no" }
        self.init(
            status: .ok, headers: headers,
            body: ResponseBody { writer in
                var stream = stream
                var pieces = stream.begin()
                var isWhole = true
                var events = answers.events.makeAsyncIterator()
                repeat {
                    let buffer = format.buffer(pieces)
                    // A chunk without bytes would end the body.
                    if buffer.readableBytes > 0 { try await writer.write(buffer) }
                    switch await events.next() {
                    case nil:
                        if case .events(endsWithDone: true) = format { pieces = [.done] } else { pieces = [] }
                        if isWhole { pieces = stream.end() + pieces }
                        if !pieces.isEmpty { try await writer.write(format.buffer(pieces)) }
                        try await writer.finish(nil)
                        return
                    case .pause: pieces = [.comment("waiting")]
                    case .failed(let error):
                        isWhole = false
                        pieces = [stream.failure(APIError(error))]
                    case .some(let event): pieces = stream.pieces(for: event)
                    }
                } while true
            })
    }
}

#endif
