// Transfers over HTTP, made by the program curl.

package import Foundation
import InferSupport

/// What a server answered, or the part of it that came.
///
/// The program `curl` makes the transfers: every system has it, and it brings its own TLS. A Swift package for HTTP would add a TLS library
/// to the build of the command, and Foundation's cannot be linked statically. Everything that matters for safety is decided here: which
/// hosts are asked, which redirections are followed, which headers go where.
package final class WebTransfer {
    /// Why a transfer failed.
    package struct Failure: Error {
        /// One sentence for a person.
        let message: String
        /// Whether the same request can succeed later.
        let isTransient: Bool
        /// The status of the answer, if there was one.
        var status: Int? = nil
    }

    /// A request for the contents of a URL.
    struct Request: Sendable {
        let url: URL
        /// Headers by their names.
        var headers: [String: String] = [:]
        /// A secret that is sent to the host of `url` alone, not to where it redirects.
        var token: String?
        /// After how many seconds without data the transfer is given up.
        var patience = 30
    }

    /// The first lines of an answer.
    package struct Head {
        package let status: Int
        /// The headers by their names in lower case.
        package let headers: [String: String]

        /// The value of a header that is a number.
        func number(_ name: String) -> Int? { headers[name].flatMap { Int($0) } }
    }

    /// The head of the last answer, after redirections.
    let head: Head
    /// The URL that gave it.
    let url: URL
    /// The headers of the answers that redirected, with those of later ones in the place of earlier ones.
    let redirectionHeaders: [String: String]

    private let curl: ChildProcess
    private let token: String?
    private var rest: [UInt8]

    /// The most redirections that are followed.
    private static let redirectionLimit = 10
    /// The most bytes of a head.
    private static let headLimit = 1 << 18

    /// Sends `request`, follows redirections and reads the head of the answer.
    ///
    /// - Throws: ``Failure``, or ``InferenceError`` with `cancelled` if the task is cancelled, or `unreadableFile` if there is no curl.
    init(_ request: Request) throws {
        token = request.token
        var url = request.url
        var visited: Set<URL> = []
        var headers: [String: String] = [:]
        while true {
            try WebAddress.check(url, redirectedFrom: visited.isEmpty ? nil : request.url)
            guard visited.insert(url).inserted else {
                throw Failure(message: "\(request.url.shown) redirects in a circle", isTransient: false)
            }
            guard visited.count <= Self.redirectionLimit + 1 else {
                throw Failure(
                    message: "\(request.url.shown) redirects more than \(Self.redirectionLimit) times",
                    isTransient: false)
            }
            let curl = try Self.start(request, at: url)
            let (head, rest) = try Self.readHead(of: curl, url)
            guard [301, 302, 303, 307, 308].contains(head.status) else {
                (self.curl, self.head, self.rest, self.url) = (curl, head, rest, url)
                redirectionHeaders = headers
                return
            }
            curl.stop()
            headers.merge(head.headers) { $1 }
            guard let location = head.headers["location"],
                let next = URL(string: location, relativeTo: url)?.absoluteURL
            else {
                throw Failure(message: "\(url.shown) redirects to no place that is a URL", isTransient: false)
            }
            url = next
        }
    }

    /// The next bytes of the contents; nil at their end.
    ///
    /// - Parameter idle: Called ten times a second while nothing comes.
    /// - Throws: ``Failure`` if the transfer ends early, or ``InferenceError`` with `cancelled`.
    func read(idle: () -> Void = {}) throws -> ArraySlice<UInt8>? {
        if !rest.isEmpty {
            defer { rest = [] }
            return rest[...]
        }
        if let bytes = try curl.read(idle: idle) { return bytes }
        try Self.checkEnd(of: curl, url)
        return nil
    }

    /// All contents, which are at most `limit` bytes.
    func contents(limit: Int) throws -> [UInt8] {
        var contents: [UInt8] = []
        while let bytes = try read() {
            contents += bytes
            guard contents.count <= limit else {
                throw Failure(message: "\(url.shown) sends more than \(limit >> 20) MiB", isTransient: false)
            }
        }
        return contents
    }

    /// Why an answer with an error status is one, with what the server says.
    func failure(hint: String? = nil) -> Failure {
        // What curl has read until now is enough, and an endless page has no end.
        var page: [UInt8] = []
        while page.count < 4096, let bytes = try? read() { page += bytes }
        curl.stop()
        var said = head.headers["x-error-message"] ?? Self.message(in: page, type: head.headers["content-type"] ?? "")
        // A server may repeat what it was sent.
        if let token { said = said?.replacing(token, with: "…") }
        let meaning: String? =
            switch head.status {
            case 401: "not allowed without a valid token"
            case 403: "not allowed"
            case 404, 410: "not there"
            case 429: "too many requests"
            case 500...: "the server failed"
            default: nil
            }
        let text =
            "\(url.shown): status \(head.status)" + (meaning.map { ", \($0)" } ?? "")
            + (said.map { " (the server says: \($0.printable))" } ?? "") + (hint.map { "; \($0)" } ?? "")
        return Failure(
            message: text, isTransient: head.status == 408 || head.status == 429 || head.status >= 500,
            status: head.status)
    }

    /// Ends the transfer.
    func stop() { curl.stop() }

    // MARK: curl

    private static func start(_ request: Request, at url: URL) throws(InferenceError) -> ChildProcess {
        var lines = [
            "silent", "show-error", "include", "suppress-connect-headers", "globoff", "no-buffer",
            // Redirections are followed above.
            "no-location", #"proto = "=http,https""#, "connect-timeout = \(request.patience)", "speed-limit = 1",
            "speed-time = \(request.patience)", "user-agent = \(quoted("swiftinfer/\(Version.number)"))",
            "url = \(quoted(url.absoluteString))",
        ]
        var headers = request.headers
        if let token = request.token, url.hasSameOrigin(as: request.url) {
            headers["Authorization"] = "Bearer \(token)"
        }
        lines += headers.sorted { $0.key < $1.key }.map { "header = \(quoted("\($0.key): \($0.value)"))" }
        // The settings go over standard input: other users can see arguments, and the token is among the settings. The first argument
        // leaves out the user's own settings of curl, which could change the output.
        let curl = try ChildProcess(
            "curl", ["--disable", "--config", "-"], input: lines.joined(separator: "\n") + "\n",
            withholding: ["HF_TOKEN"])
        guard let curl else {
            throw InferenceError(
                .unreadableFile,
                "there is no program curl, which makes downloads; install it (Debian: apt install curl)")
        }
        return curl
    }

    /// `text` in the quotes of curl's configuration.
    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\", "\"": result += "\\\(scalar)"
            case "\n", "\r", "\0": result += " "
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }

    private static func readHead(of curl: ChildProcess, _ url: URL) throws -> (Head, rest: [UInt8]) {
        var bytes: [UInt8] = []
        while true {
            while let (head, length) = head(in: bytes) {
                bytes.removeFirst(length)
                // Answers before the last one, such as "103 Early Hints".
                if head.status >= 200 { return (head, bytes) }
            }
            guard bytes.count < headLimit else {
                throw Failure(message: "\(url.shown) answers with too many headers", isTransient: false)
            }
            guard let more = try curl.read() else { break }
            bytes += more
        }
        try checkEnd(of: curl, url)
        throw Failure(message: "\(url.shown) does not answer in HTTP", isTransient: false)
    }

    /// The head at the start of `bytes` and its length; nil while it is incomplete.
    package static func head(in bytes: [UInt8]) -> (Head, length: Int)? {
        var lines: [String] = []
        var start = 0
        while let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) {
            var line = bytes[start..<end]
            if line.last == UInt8(ascii: "\r") { line.removeLast() }
            start = end + 1
            guard line.isEmpty else {
                lines.append(String(decoding: line, as: UTF8.self))
                continue
            }
            let parts = (lines.first ?? "").split(separator: " ")
            var headers: [String: String] = [:]
            for line in lines.dropFirst() {
                guard let colon = line.firstIndex(of: ":") else { continue }
                headers[line[..<colon].lowercased()] =
                    line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
            }
            return (Head(status: parts.count > 1 ? Int(parts[1]) ?? 0 : 0, headers: headers), start)
        }
        return nil
    }

    private static func checkEnd(of curl: ChildProcess, _ url: URL) throws {
        let end = try curl.finish()
        guard end.status != 0 else { return }
        // Exit statuses of curl(1).
        let (meaning, isTransient): (String?, Bool) =
            switch end.status {
            case 5: ("the proxy's name is unknown", true)
            case 6: ("the host's name is unknown, or there is no network", true)
            case 7: ("no connection", true)
            case 16, 52, 55, 56, 92, 95, 96: ("the connection broke", true)
            case 18: ("the transfer ended early", true)
            case 28: ("no data comes", true)
            case 35: ("no secure connection", true)
            case 51, 60, 77: ("the server's certificate is not valid", false)
            default: (nil, false)
            }
        let text = end.errors.trimmingCharacters(in: .whitespacesAndNewlines).split(separator: "\n").last.map(
            String.init)
        throw Failure(
            message: "\(url.shown): " + (meaning ?? "the transfer failed")
                + (text.map { " (\($0.printable))" } ?? ""), isTransient: isTransient)
    }

    /// What a page of an error says: the field `error` of JSON, or a short plain text.
    private static func message(in page: [UInt8], type: String) -> String? {
        if type.hasPrefix("application/json"),
            let object = try? JSONSerialization.jsonObject(with: Data(page)) as? [String: Any]
        {
            return (object["error"] ?? object["message"]) as? String
        }
        guard type.hasPrefix("text/plain") else { return nil }
        let text = String(decoding: page, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        return text.isEmpty ? nil : text
    }
}

/// Which URLs are asked.
package enum WebAddress {
    /// Throws unless `url` is https, or http on this machine. An address elsewhere does not redirect to this machine, nor https to http.
    package static func check(_ url: URL, redirectedFrom origin: URL? = nil) throws(WebTransfer.Failure) {
        let scheme = url.scheme?.lowercased() ?? ""
        guard ["http", "https"].contains(scheme), url.host?.isEmpty == false else {
            throw WebTransfer.Failure(
                message: "\(url.shown) is not the URL of a web page", isTransient: false)
        }
        let from = origin.map { "\($0.shown) redirects to \(url.shown), which " } ?? "\(url.shown) "
        if let origin, url.isLoopback, !origin.isLoopback {
            throw WebTransfer.Failure(message: "\(from)is on this machine", isTransient: false)
        }
        guard scheme == "https" || url.isLoopback else {
            throw WebTransfer.Failure(message: "\(from)is not https; only this is safe", isTransient: false)
        }
    }
}

extension URL {
    /// The URL for messages: without query, which can hold keys, and without user and password.
    package var shown: String {
        guard var parts = URLComponents(url: self, resolvingAgainstBaseURL: true) else { return "the URL" }
        (parts.query, parts.fragment, parts.user, parts.password) = (nil, nil, nil, nil)
        return parts.string ?? "the URL"
    }

    /// Whether the host is this machine.
    var isLoopback: Bool {
        guard let host = host?.lowercased() else { return false }
        return host == "localhost" || host == "::1" || host == "[::1]"
            || host.hasPrefix("127.") && host.allSatisfy { $0 == "." || $0.isNumber }
    }

    /// Whether scheme, host and port are the same.
    func hasSameOrigin(as other: URL) -> Bool {
        func port(_ url: URL) -> Int { url.port ?? (url.scheme?.lowercased() == "http" ? 80 : 443) }
        return scheme?.lowercased() == other.scheme?.lowercased() && host?.lowercased() == other.host?.lowercased()
            && port(self) == port(other)
    }
}
