// Who may use the server: keys, the names it answers to, and the web pages that may call it.

#if Server

import HTTPTypes
import Hummingbird
import InferSupport

/// The rules that a request has to pass before anything of its body is read.
struct Access: Sendable {
    /// The keys. Without any, everybody who reaches the server may use it.
    let keys: [[UInt8]]
    /// Names that the `Host` header may have, in lower case, without port.
    let hosts: Set<String>
    /// Origins beside the server's own that may call it from a web page.
    let origins: Set<String>

    /// The names of this machine for itself.
    static let loopbackHosts: Set<String> = ["localhost", "127.0.0.1", "::1"]

    init(_ options: InferenceServer.Options) {
        keys = options.keys.map { Array($0.utf8) }
        origins = Set(options.allowedOrigins.map { $0.lowercased() })
        hosts = Self.loopbackHosts.union(options.allowedHosts.map { $0.lowercased() }).union([options.host.lowercased()]
        )
    }

    /// Whether only this machine reaches a server at `host`.
    static func isLoopback(_ host: String) -> Bool {
        host == "localhost" || host == "::1" || (host.isAddress && host.hasPrefix("127."))
    }

    /// The paths that need no key: the test of readiness, and the page, which is the same for everybody and asks for the key.
    static let openPaths: Set<String> = ["/health", "/v1/health", "/"]

    /// The owner of the request: whose prefixes and draft memory it uses.
    ///
    /// - Throws: ``APIError`` with 421 for a foreign name, 403 for a foreign origin, 401 without a valid key.
    func owner(of request: Request) throws(APIError) -> String {
        try check(request)
        guard !keys.isEmpty else { return "" }
        guard let given = Self.key(in: request.headers) else {
            if Self.openPaths.contains(request.uri.path) { return "" }
            throw APIError(
                .unauthorized, type: "authentication_error", "a key is needed: Authorization: Bearer KEY",
                code: "missing_api_key")
        }
        // All keys are compared, whichever fits, so that the time tells nothing.
        var owner: Int?
        for (index, key) in keys.enumerated() where Self.areEqual(Array(given.utf8), key) { owner = index }
        guard let owner else {
            throw APIError(
                .unauthorized, type: "authentication_error", "the key is not valid", code: "invalid_api_key")
        }
        return "key-\(owner)"
    }

    /// Checks the name and the origin of the request, not its key.
    func check(_ request: Request) throws(APIError) {
        try checkHost(of: request)
        try checkOrigin(of: request)
    }

    private static func key(in headers: HTTPFields) -> String? {
        if let authorization = headers[.authorization] {
            let parts = authorization.split(separator: " ", maxSplits: 1)
            guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
            return String(parts[1])
        }
        return HTTPField.Name("x-api-key").flatMap { headers[$0] }
    }

    /// Whether the texts are equal. The time depends on the length of `given` alone.
    private static func areEqual(_ given: [UInt8], _ key: [UInt8]) -> Bool {
        guard !key.isEmpty else { return false }
        var difference = given.count ^ key.count
        for index in given.indices { difference |= Int(given[index] ^ key[index % key.count]) }
        return difference == 0
    }

    /// Refuses names that are not the server's: a web page could otherwise reach it by a name of its own that leads here
    /// (DNS rebinding). An address cannot be rebound, so any address is accepted where a key is needed.
    private func checkHost(of request: Request) throws(APIError) {
        let host = request.head.authority.map(Self.host(of:)) ?? ""
        guard hosts.contains(host) || (!keys.isEmpty && host.isAddress) else {
            throw APIError(
                .misdirectedRequest, "this server does not answer for the host '\(host.printable)'; see --allow-host",
                field: "Host", code: "unknown_host")
        }
    }

    /// The name in `authority`, in lower case, without port and brackets.
    private static func host(of authority: String) -> String {
        let text = authority.lowercased()
        if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
            return String(text[text.index(after: text.startIndex)..<end])
        }
        return String(text.prefix { $0 != ":" })
    }

    /// Refuses web pages of other sites.
    private func checkOrigin(of request: Request) throws(APIError) {
        guard let origin = request.headers[.origin] else { return }
        guard isOwn(origin, request) || isListed(origin) else {
            throw APIError(
                .forbidden, type: "permission_error",
                "pages of '\(origin.printable)' may not call this server; see --allow-origin", field: "Origin",
                code: "origin_not_allowed")
        }
    }

    private func isOwn(_ origin: String, _ request: Request) -> Bool {
        guard let authority = request.head.authority?.lowercased() else { return false }
        return ["http://" + authority, "https://" + authority].contains(origin.lowercased())
    }

    private func isListed(_ origin: String) -> Bool { origins.contains(origin.lowercased()) }

    /// The headers that let a page of a listed origin read the response.
    func sharingHeaders(for request: Request) -> HTTPFields {
        guard let origin = request.headers[.origin], isListed(origin) else { return [:] }
        return [
            .accessControlAllowOrigin: origin, .vary: "Origin",
            .accessControlAllowHeaders: "authorization, content-type, x-api-key",
            .accessControlAllowMethods: "GET, POST", .accessControlMaxAge: "600",
        ]
    }
}

extension String {
    /// Whether the text is an address of IP, version 4 or 6.
    fileprivate var isAddress: Bool {
        let parts = split(separator: ".", omittingEmptySubsequences: false)
        if parts.count == 4, parts.allSatisfy({ UInt8($0) != nil }) { return true }
        return contains(":") && allSatisfy { $0.isHexDigit || $0 == ":" || $0 == "." }
    }
}

#endif
