// A language server that completes code: `textDocument/inlineCompletion` of LSP 3.18.

#if Server

package import InferSupport
package import SwiftInfer

/// Answers the messages of one editor.
///
/// Open documents are kept as they change. They are context for the model, and the drafter copies from them. A change of a document
/// or a newer request cancels the requests that are running for it, within one step of the model.
package actor LanguageServer {
    /// What the server needs from the outside.
    package struct Options: Sendable {
        /// The name and version of the program.
        package var name = "swiftinfer", version = ""
        /// Loads the model. It begins when the editor connects.
        package var load: @Sendable () async throws -> Scheduler
        /// The drafter for a workspace at a path; nil for an editor without a workspace.
        package var drafter: @Sendable (String?) -> DrafterChoice
        /// The sampling of completions.
        package var sampling = SamplingOptions()
        /// The time after a key before the model starts, while the user only types.
        package var pause = Duration.milliseconds(60)

        package init(
            load: @escaping @Sendable () async throws -> Scheduler,
            drafter: @escaping @Sendable (String?) -> DrafterChoice
        ) {
            self.load = load
            self.drafter = drafter
        }
    }

    private enum Phase {
        case new, running, shutDown
    }

    private struct OpenDocument {
        var text: TextDocument
        /// Increases with each change of any document.
        var change: Int
    }

    private let options: Options
    private let send: @Sendable (JSONValue) -> Void
    private var phase = Phase.new
    private var encoding = TextDocument.Encoding.utf16
    private var root: String?
    private var drafter = DrafterChoice.none
    private var documents: [String: OpenDocument] = [:]
    private var changes = 0
    private var model: Task<Scheduler, any Error>?
    /// The running requests by id, with their documents.
    private var running: [JSONValue: (task: Task<Void, Never>, document: String)] = [:]

    private static let contextDocuments = 6

    /// A server that passes its messages to `send`.
    package init(_ options: Options, send: @escaping @Sendable (JSONValue) -> Void) {
        self.options = options
        self.send = send
    }

    /// Handles one message.
    ///
    /// - Returns: The exit status of the program, after the message that ends it.
    package func receive(_ content: [UInt8]) async -> Int32? {
        let message: JSONValue
        do {
            message = try JSONValue(parsing: content)
        } catch {
            respond(to: .null, .parseError, error.message)
            return nil
        }
        guard let method = message["method"]?.string else {
            // An answer to a request of ours, of which there are none, or not a message.
            if message["result"] == nil, message["error"] == nil {
                respond(to: message["id"] ?? .null, .invalidRequest, "the message has no method")
            }
            return nil
        }
        let parameters = message["params"] ?? .null
        if let id = message["id"] {
            answer(method, parameters, id)
            return nil
        }
        return notice(method, parameters)
    }

    /// Waits until no request is running.
    package func finish() async {
        while let (task, _) = running.values.first { await task.value }
    }

    // MARK: Requests

    private func answer(_ method: String, _ parameters: JSONValue, _ id: JSONValue) {
        switch (phase, method) {
        case (.new, "initialize"): respond(to: id, initialize(parameters))
        case (.new, _): respond(to: id, .notInitialized, "the first request must be initialize")
        case (.shutDown, _): respond(to: id, .invalidRequest, "the server has been shut down")
        case (.running, "shutdown"):
            phase = .shutDown
            for (task, _) in running.values { task.cancel() }
            respond(to: id, .null)
        case (.running, "textDocument/inlineCompletion"): complete(parameters, id)
        case (.running, "initialize"): respond(to: id, .invalidRequest, "the server is initialized already")
        default: respond(to: id, .methodNotFound, "there is no method \(method)")
        }
    }

    private func initialize(_ parameters: JSONValue) -> JSONValue {
        phase = .running
        let known = parameters["capabilities"]?["general"]?["positionEncodings"]?.array?.compactMap(\.string) ?? []
        // Clients prefer the first one; UTF-16 is what all of them have.
        encoding = known.lazy.compactMap(TextDocument.Encoding.init(rawValue:)).first ?? .utf16
        let folder = parameters["workspaceFolders"]?.array?.first?["uri"] ?? parameters["rootUri"]
        root = folder?.string.flatMap(FileURI.path) ?? parameters["rootPath"]?.string
        drafter = options.drafter(root)
        let load = options.load
        model = Task { try await load() }
        return [
            "capabilities": [
                "positionEncoding": .string(encoding.rawValue),
                "textDocumentSync": ["openClose": true, "change": 2],
                "inlineCompletionProvider": true,
            ],
            "serverInfo": ["name": .string(options.name), "version": .string(options.version)],
        ]
    }

    private func complete(_ parameters: JSONValue, _ id: JSONValue) {
        guard let uri = parameters["textDocument"]?["uri"]?.string,
            let position = TextDocument.Position(parameters["position"])
        else {
            return respond(to: id, .invalidParams, "textDocument.uri or position is missing")
        }
        guard let document = documents[uri] else {
            return respond(to: id, .invalidParams, "the document \(uri) is not open")
        }
        cancelRequests(for: uri)
        let (prefix, suffix) = document.text.split(at: position, encoding)
        var completion = InlineCompletion(prefix: prefix, suffix: suffix)
        completion.isInvoked = parameters["context"]?["triggerKind"] == .integer(1)
        completion.fileName = name(of: uri)
        completion.repositoryName = root.flatMap { $0.split(separator: "/").last.map(String.init) }
        completion.context = context(without: uri)
        // The user looks at an entry of a list: the completion goes on from there.
        var selected: (text: String, range: JSONValue)?
        if let info = parameters["context"]?["selectedCompletionInfo"], let text = info["text"]?.string,
            let range = info["range"], let start = TextDocument.Position(range["start"])
        {
            selected = (text, range)
            completion.prefix = document.text.split(at: start, encoding).prefix + text
        }
        let task = Task { [completion, selected] in
            let result = await self.result(of: completion, selected)
            self.end(id, result)
        }
        running[id] = (task, uri)
    }

    /// The answer to a request for a completion; nil if it was cancelled.
    private func result(
        of completion: InlineCompletion, _ selected: (text: String, range: JSONValue)?
    ) async -> Result<JSONValue, any Error>? {
        do {
            if !completion.isInvoked { try await Task.sleep(for: options.pause) }
            guard let scheduler = try await model?.value else { return nil }
            var options = completion.options
            options.sampling = self.options.sampling
            let limit = scheduler.contextLength - options.reservedTokens(of: scheduler.contextLength)
            var request = Scheduler.Request(
                .tokens(try completion.tokens(for: scheduler.model, limit: limit)), options: options)
            request.drafter = drafter
            let answer = try await scheduler.submit(request).response()
            if Task.isCancelled { return nil }
            let text = completion.shown(of: answer.text)
            guard !text.isEmpty else { return .success(["items": []]) }
            var item: JSONObject = ["insertText": .string((selected?.text ?? "") + text)]
            item["range"] = selected?.range
            return .success(["items": [.object(item)]])
        } catch is CancellationError {
            return nil
        } catch {
            return .failure(error)
        }
    }

    private func end(_ id: JSONValue, _ result: Result<JSONValue, any Error>?) {
        running[id] = nil
        switch result {
        case .success(let value): respond(to: id, value)
        case .failure(let error):
            let message = (error as? InferenceError)?.message ?? "\(error)"
            respond(to: id, .requestFailed, message)
            notify("window/logMessage", ["type": 1, "message": .string(message)])
        case nil: respond(to: id, .requestCancelled, "the request was cancelled")
        }
    }

    private func cancelRequests(for uri: String) {
        for (task, document) in running.values where document == uri { task.cancel() }
    }

    // MARK: Notifications

    private func notice(_ method: String, _ parameters: JSONValue) -> Int32? {
        if method == "exit" { return phase == .shutDown ? 0 : 1 }
        guard phase == .running else { return nil }
        let uri = parameters["textDocument"]?["uri"]?.string
        switch method {
        case "textDocument/didOpen":
            guard let uri, let text = parameters["textDocument"]?["text"]?.string else { break }
            changes += 1
            documents[uri] = OpenDocument(text: TextDocument(text), change: changes)
        case "textDocument/didChange":
            guard let uri, documents[uri] != nil else { break }
            cancelRequests(for: uri)
            for change in parameters["contentChanges"]?.array ?? [] { apply(change, to: uri) }
        case "textDocument/didClose":
            guard let uri else { break }
            cancelRequests(for: uri)
            documents[uri] = nil
        case "$/cancelRequest":
            if let id = parameters["id"] { running[id]?.task.cancel() }
        default: break
        }
        return nil
    }

    private func apply(_ change: JSONValue, to uri: String) {
        guard let text = change["text"]?.string else { return }
        changes += 1
        documents[uri]?.change = changes
        if let range = change["range"], let start = TextDocument.Position(range["start"]),
            let end = TextDocument.Position(range["end"])
        {
            documents[uri]?.text.replace((start, end), by: text, encoding)
        } else {
            documents[uri]?.text = TextDocument(text)
        }
    }

    /// The other documents that changed last, the newest at the end.
    private func context(without uri: String) -> [SourceFile] {
        documents.filter { $0.key != uri }.sorted { $0.value.change < $1.value.change }.suffix(Self.contextDocuments)
            .map { SourceFile(name: name(of: $0.key), text: String(decoding: $0.value.text.bytes, as: UTF8.self)) }
    }

    /// A document's name relative to the workspace.
    private func name(of uri: String) -> String {
        let path = FileURI.path(uri) ?? uri
        guard let root, path.hasPrefix(root + "/") else {
            return path.split(separator: "/").last.map(String.init) ?? path
        }
        return String(path.dropFirst(root.count + 1))
    }

    // MARK: Messages

    /// Error codes of JSON-RPC and LSP.
    private enum ErrorCode: Int {
        case parseError = -32700, invalidRequest = -32600, methodNotFound = -32601, invalidParams = -32602
        case notInitialized = -32002, requestFailed = -32803, requestCancelled = -32800
    }

    private func respond(to id: JSONValue, _ result: JSONValue) {
        send(["jsonrpc": "2.0", "id": id, "result": result])
    }

    private func respond(to id: JSONValue, _ code: ErrorCode, _ message: String) {
        send(["jsonrpc": "2.0", "id": id, "error": ["code": .integer(code.rawValue), "message": .string(message)]])
    }

    private func notify(_ method: String, _ parameters: JSONValue) {
        send(["jsonrpc": "2.0", "method": .string(method), "params": parameters])
    }
}

extension TextDocument.Position {
    /// A position of a message; nil if it is not one.
    fileprivate init?(_ value: JSONValue?) {
        guard case .integer(let line)? = value?["line"], case .integer(let character)? = value?["character"],
            line >= 0, character >= 0
        else { return nil }
        self.init(line: line, character: character)
    }
}

/// Addresses of files.
package enum FileURI {
    /// The path of a `file:` address; nil for other addresses.
    package static func path(_ uri: String) -> String? {
        guard uri.lowercased().hasPrefix("file://") else { return nil }
        // An address can name the machine: file://localhost/…
        guard let start = uri.dropFirst(7).firstIndex(of: "/") else { return nil }
        var bytes: [UInt8] = []
        var rest = uri[start...].utf8[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), let value = UInt8(String(Substring(rest.prefix(2))), radix: 16),
                rest.count >= 2
            {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        while bytes.count > 1, bytes.last == UInt8(ascii: "/") { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }
}

#endif
