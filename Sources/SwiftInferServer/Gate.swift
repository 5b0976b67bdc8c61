// What every request passes: access, limits, errors, log.

#if Server

import HTTPTypes
import Hummingbird
import InferSupport
import Logging
import NIOCore
import SwiftInfer

/// What the handlers know of a request beside its content.
struct RequestInfo: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// The connection.
    let channel: any Channel
    /// Whose prefixes and draft memory the request uses.
    var owner = ""

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        channel = source.channel
    }
}

/// Lets requests through that may use the server, writes errors in the shape of the interface, and logs each request.
struct Gate: RouterMiddleware {
    let state: ServerState

    @concurrent func handle(
        _ request: Request, context: RequestInfo, next: @concurrent (Request, RequestInfo) async throws -> Response
    ) async throws -> Response {
        let start = ContinuousClock.now
        let response = await outcome(request, context, next)
        return finishing(shared(response, with: request), of: request, context, since: start)
    }

    /// The response, also where a handler throws.
    @concurrent private func outcome(
        _ request: Request, _ context: RequestInfo, _ next: @concurrent (Request, RequestInfo) async throws -> Response
    ) async -> Response {
        do {
            return try await answer(request, context, next)
        } catch {
            return refusal(APIError(describing: error), of: request)
        }
    }

    private func refusal(_ error: APIError, of request: Request) -> Response {
        var response = error.response(ollama: request.uri.path.hasPrefix("/api/"))
        // The rest of a refused body would be read as the next request.
        if ["body_too_large", "invalid_http"].contains(error.code) { response.headers[.connection] = "close" }
        return response
    }

    /// The response with the headers that all have.
    private func shared(_ response: Response, with request: Request) -> Response {
        var response = response
        for field in state.access.sharingHeaders(for: request) { response.headers[field.name] = field.value }
        response.headers[.xContentTypeOptions] = "nosniff"
        return response
    }

    @concurrent private func answer(
        _ request: Request, _ context: RequestInfo, _ next: @concurrent (Request, RequestInfo) async throws -> Response
    ) async throws -> Response {
        guard request.uri.string.utf8.count <= state.options.limits.pathBytes else {
            throw APIError(.uriTooLong, "the path is too long", code: "path_too_long")
        }
        if request.method == .options, request.headers[.origin] != nil {
            // A browser asks without the key whether it may send it.
            try state.access.check(request)
            return Response(status: .noContent)
        }
        var context = context
        context.owner = try state.access.owner(of: request)
        return try await next(request, context)
    }

    /// The response, with a note in log and metrics after it is written.
    private func finishing(
        _ response: Response, of request: Request, _ context: RequestInfo, since start: ContinuousClock.Instant
    ) -> Response {
        let state = state
        let status = response.status.code
        let path = request.uri.path
        let method = request.method.rawValue
        let id = context.logger[metadataKey: "hb.request.id"].map { "\($0)" } ?? ""
        let note: @Sendable (Bool) -> Void = { isWhole in
            state.metrics.noteRequest(status: status)
            // Probes and the page's plots ask every second.
            let isProbe = status == 200 && ["/health", "/metrics", "/slots"].contains(path)
            state.logger.log(
                level: isProbe ? .debug : .info, "request",
                metadata: [
                    "id": "\(id)", "method": "\(method)", "path": "\(path.printable)", "status": "\(status)",
                    "ms": "\(Int((ContinuousClock.now - start) / .milliseconds(1)))", "complete": "\(isWhole)",
                    "owner": "\(context.owner)",
                ])
        }
        let body = response.body
        guard body.contentLength == nil else {
            note(true)
            return response
        }
        var response = response
        response.body = ResponseBody { writer in
            do {
                try await body.write(writer)
                note(true)
            } catch {
                note(false)
                throw error
            }
        }
        return response
    }
}

extension Request {
    /// The object that the body is.
    func reader(_ state: ServerState) async throws -> RequestReader {
        let body = try await body.collect(upTo: state.options.limits.bodyBytes)
        if state.options.logsPrompts {
            state.logger.info(
                "prompt", metadata: ["path": "\(uri.path.printable)", "body": "\(String(buffer: body).escaped)"])
        }
        return try RequestReader(body: body.readableBytesView)
    }
}

#endif
