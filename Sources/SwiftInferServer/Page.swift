// The page for people, and the description of the interface for programs.

#if Server

import HTTPTypes
import Hummingbird
import InferSupport
import NIOCore

/// The routes `/` and `/openapi.json`.
enum Page {
    /// What the page may do: use its own style and script, and talk to this server.
    private static let policy = """
        default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src data:; \
        base-uri 'none'; form-action 'none'; frame-ancestors 'none'
        """

    static func addRoutes(to router: Router<RequestInfo>) {
        router.get("/") { _, _ in
            response(PackageResources.index_html, "text/html; charset=utf-8", [.contentSecurityPolicy: policy])
        }
        router.get("/openapi.json") { _, _ in response(PackageResources.openapi_json, "application/json", [:]) }
    }

    private static func response(_ bytes: [UInt8], _ type: String, _ more: HTTPFields) -> Response {
        var headers: HTTPFields = [.contentType: type, .cacheControl: "no-cache"]
        for field in more { headers[field.name] = field.value }
        return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }
}

#endif
