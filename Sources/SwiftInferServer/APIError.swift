// An error as a client sees it: status, kind, message, and the field it is about.

#if Server

import HTTPTypes
import Hummingbird
import InferSupport
import NIOCore
import NIOHTTP1
import SwiftInfer

/// An error in OpenAI's shape: `{"error": {"message", "type", "param", "code"}}`.
struct APIError: Error, HTTPResponseError {
    var status: HTTPResponse.Status
    /// The kind, such as `invalid_request_error`.
    var type: String
    var message: String
    /// The field of the request that the error is about.
    var field: String?
    /// What programs test for, such as `context_length_exceeded`.
    var code: String?
    /// After how many seconds the client may try again.
    var retryAfter: Int?
    /// Members beside `error`.
    var details = JSONObject()

    init(
        _ status: HTTPResponse.Status, type: String = "invalid_request_error", _ message: String, field: String? = nil,
        code: String? = nil, retryAfter: Int? = nil
    ) {
        (self.status, self.type, self.message, self.field) = (status, type, message, field)
        (self.code, self.retryAfter) = (code, retryAfter)
    }

    /// An error in the request's field `field`.
    static func invalid(_ field: String, _ message: String, code: String? = nil) -> APIError {
        APIError(.badRequest, message, field: field, code: code)
    }

    /// A field that asks for something that this server does not have.
    static func unsupported(_ field: String, _ message: String) -> APIError {
        APIError(.badRequest, message, field: field, code: "unsupported_parameter")
    }

    /// The server is loading the model, or shuts down.
    static func unavailable(_ message: String, retryAfter: Int = 1) -> APIError {
        APIError(
            .serviceUnavailable, type: "unavailable_error", message, code: "unavailable", retryAfter: retryAfter)
    }

    /// An error of the engine.
    init(_ error: InferenceError, field: String? = nil) {
        switch error.code {
        case .contextFull:
            self.init(.badRequest, error.message, field: field ?? "prompt", code: "context_length_exceeded")
        case .invalidArgument, .unsupportedTemplate, .refusedByTemplate, .unsupportedTokenizer:
            self.init(.badRequest, error.message, field: field, code: error.code.description)
        case .busy:
            self.init(
                .tooManyRequests, type: "rate_limit_error", error.message, code: "queue_full", retryAfter: 1)
        case .outOfMemory:
            self.init(
                .serviceUnavailable, type: "unavailable_error", error.message, code: "out_of_memory", retryAfter: 1)
        case .cancelled: self = .unavailable("the request was cancelled")
        default:
            self.init(.internalServerError, type: "server_error", error.message, code: error.code.description)
        }
    }

    /// Any error that a handler throws.
    init(describing error: any Error) {
        switch error {
        case let error as APIError: self = error
        case let error as InferenceError: self.init(error)
        case is HTTPParserError:
            self.init(.badRequest, "the request is not valid HTTP", code: "invalid_http")
        case is NIOTooManyBytesError:
            self.init(.contentTooLarge, "the body is larger than the server accepts", code: "body_too_large")
        case let error as any HTTPResponseError where error.status.code < 500:
            self.init(error.status, error.status.reasonPhrase.lowercased(), code: "http_\(error.status.code)")
        default:
            self.init(.internalServerError, type: "server_error", "the server failed to answer", code: "internal")
        }
    }

    /// The body of the response.
    var json: JSONValue {
        var object: JSONObject = [
            "error": [
                "message": .string(message), "type": .string(type), "param": field.map { .string($0) } ?? .null,
                "code": code.map { .string($0) } ?? .null,
            ]
        ]
        for member in details.members { object[member.key] = member.value }
        return .object(object)
    }

    /// The response. Ollama's clients read a text where OpenAI's read an object.
    func response(ollama: Bool) -> Response {
        var response = Response(ollama ? ["error": .string(message)] : json, status: status)
        if let retryAfter { response.headers[.retryAfter] = "\(retryAfter)" }
        if status == .unauthorized { response.headers[.wwwAuthenticate] = "Bearer" }
        return response
    }

    func response(from request: Request, context: some RequestContext) throws -> Response { response(ollama: false) }
}

extension Response {
    /// A response with a JSON body.
    init(_ json: JSONValue, status: HTTPResponse.Status = .ok) {
        self.init(
            status: status, headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: json.description)))
    }
}

#endif
