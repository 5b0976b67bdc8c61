// The language server: messages, positions, completions and their cancellation.

#if Server

import InferSupport
import InferTokenizers
import SwiftInfer
import SwiftInferServer
import Synchronization
import TestSupport
import Testing

@Suite struct TextDocumentTests {
    private typealias Position = TextDocument.Position

    @Test func positionsInEachEncoding() {
        let document = TextDocument("a😀é\r\nzwei\rdrei\n\nfünf")
        for (encoding, positions) in [
            (TextDocument.Encoding.utf16, [(0, 0, 0), (0, 1, 1), (0, 2, 1), (0, 3, 5), (0, 4, 7), (0, 99, 7)]),
            (.utf8, [(0, 0, 0), (0, 1, 1), (0, 2, 1), (0, 5, 5), (0, 7, 7), (0, 8, 7)]),
            (.utf32, [(0, 1, 1), (0, 2, 5), (0, 3, 7), (0, 4, 7)]),
        ] {
            for (line, character, offset) in positions {
                #expect(document.offset(of: Position(line: line, character: character), encoding) == offset)
            }
        }
        // After "\r\n", "\r", "\n", an empty line, and behind the end.
        for (line, offset) in [(1, 9), (2, 14), (3, 19), (4, 20), (5, 25), (99, 25)] {
            #expect(document.offset(of: Position(line: line, character: 0), .utf16) == offset)
        }
        #expect(document.split(at: Position(line: 4, character: 2), .utf16).suffix == "nf")
    }

    @Test func changesReplaceRanges() {
        var document = TextDocument("let x = 😀\r\nlet y = 2\r\n")
        document.replace((Position(line: 0, character: 8), Position(line: 0, character: 10)), by: "1", .utf16)
        document.replace((Position(line: 1, character: 0), Position(line: 2, character: 0)), by: "", .utf16)
        #expect(String(decoding: document.bytes, as: UTF8.self) == "let x = 1\r\n")
        // An end before the start removes nothing.
        document.replace((Position(line: 0, character: 3), Position(line: 0, character: 1)), by: "!", .utf16)
        #expect(String(decoding: document.bytes, as: UTF8.self) == "let! x = 1\r\n")
    }

    @Test func addressesOfFiles() {
        #expect(FileURI.path("file:///home/a%20b/c%C3%A9.swift") == "/home/a b/cé.swift")
        #expect(FileURI.path("file://localhost/x/") == "/x")
        #expect(FileURI.path("file:///100%") == "/100%")
        #expect(FileURI.path("untitled:1") == nil)
    }
}

@Suite struct MessageFramerTests {
    @Test func messagesAreCutWhereverTheBytesAreCut() throws {
        let messages = ["{}", "", "[1,2]\r\n\r\n", "é"]
        let bytes = messages.flatMap { message in
            Array("content-length:  \(message.utf8.count) \r\nContent-Type: x\r\n\r\n\(message)".utf8)
        }
        for size in 1...bytes.count {
            var framer = MessageFramer()
            var found: [String] = []
            for start in stride(from: 0, to: bytes.count, by: size) {
                framer.append(bytes[start..<min(start + size, bytes.count)])
                while let message = try framer.next() { found.append(String(decoding: message, as: UTF8.self)) }
            }
            #expect(found == messages)
        }
    }

    @Test(arguments: [
        "Content-Length: x\r\n\r\n", "Content-Length: -1\r\n\r\n", "Content-Length: 99999999999\r\n\r\n",
        "X: 1\r\n\r\n",
        String(repeating: "x", count: 9000),
    ])
    func badHeadersAreRefused(_ header: String) {
        var framer = MessageFramer()
        framer.append(Array(header.utf8))
        #expect(throws: InferenceError.self) { try framer.next() }
    }
}

@Suite struct InlineCompletionTests {
    @Test func whatIsShown() {
        let completion = InlineCompletion(prefix: "func a() {\n    ", suffix: "\n    return  total\n}\n")
        #expect(completion.shown(of: "let x = 1\n\n  \n") == "let x = 1")
        #expect(completion.shown(of: "let x = 1\n    return total\n}") == "let x = 1")
        #expect(completion.shown(of: "\n \n") == "")
        #expect(completion.options.minimumIndentation == 4)
        #expect(completion.options.stop.isEmpty)
        let within = InlineCompletion(prefix: "a(", suffix: ", b)\n")
        #expect(within.options.stop == ["\n"])
        #expect(InlineCompletion(prefix: "a(", suffix: ")\n").options.stop.isEmpty)
    }
}

@Suite struct LanguageServerTests {
    /// The messages that an editor has received.
    private final class Received: Sendable {
        private let messages = Mutex<[JSONValue]>([])
        func add(_ message: JSONValue) { messages.withLock { $0.append(message) } }
        func answer(to id: JSONValue) -> JSONValue? { messages.withLock { $0.first { $0["id"] == id } } }
        var count: Int { messages.withLock { $0.count } }
    }

    /// An editor without a screen.
    private struct Editor {
        let received = Received()
        let server: LanguageServer

        init(_ model: String = "tiny-qwen2-f32", pause: Duration = .zero) {
            let path = Fixture.path(model)
            var options = LanguageServer.Options {
                let model = try Model(contentsOf: path, options: .init(threads: 1))
                var scheduling = Scheduler.Options()
                (scheduling.sequences, scheduling.contextLength) = (1, 512)
                return try Scheduler(model, options: scheduling)
            } drafter: { _ in
                .promptLookup
            }
            options.pause = pause
            let received = received
            server = LanguageServer(options) { received.add($0) }
        }

        @discardableResult
        func send(_ message: JSONValue) async -> Int32? { await server.receive(Array(message.description.utf8)) }

        func request(_ id: JSONValue, _ method: String, _ parameters: JSONValue = .null) async {
            await send(["jsonrpc": "2.0", "id": id, "method": .string(method), "params": parameters])
        }

        func notify(_ method: String, _ parameters: JSONValue = .null) async -> Int32? {
            await send(["jsonrpc": "2.0", "method": .string(method), "params": parameters])
        }

        func open(_ uri: String, _ text: String) async {
            _ = await notify(
                "textDocument/didOpen",
                ["textDocument": ["uri": .string(uri), "languageId": "swift", "version": 1, "text": .string(text)]])
        }

        func complete(_ id: JSONValue, _ uri: String, line: Int, character: Int, invoked: Bool = true) async {
            await request(
                id, "textDocument/inlineCompletion",
                [
                    "textDocument": ["uri": .string(uri)],
                    "position": ["line": .integer(line), "character": .integer(character)],
                    "context": ["triggerKind": .integer(invoked ? 1 : 2)],
                ])
        }

        func initialize(_ encodings: [JSONValue] = []) async {
            await request(
                0, "initialize",
                [
                    "rootUri": "file:///home/user/project",
                    "capabilities": ["general": ["positionEncodings": .array(encodings)]],
                ])
            _ = await notify("initialized")
        }
    }

    private func code(_ message: JSONValue?) -> JSONValue? { message?["error"]?["code"] }

    @Test func theLifeOfAServer() async {
        let editor = Editor()
        await editor.request(1, "textDocument/inlineCompletion")
        #expect(code(editor.received.answer(to: 1)) == -32002)
        await editor.initialize(["utf-8", "utf-16"])
        let result = editor.received.answer(to: 0)?["result"]
        #expect(result?["capabilities"]?["positionEncoding"] == "utf-8")
        #expect(result?["capabilities"]?["inlineCompletionProvider"] == true)
        await editor.request("x", "textDocument/hover")
        #expect(code(editor.received.answer(to: "x")) == -32601)
        await editor.request(2, "textDocument/inlineCompletion", ["textDocument": ["uri": "file:///none"]])
        #expect(code(editor.received.answer(to: 2)) == -32602)
        #expect(await editor.server.receive(Array("{".utf8)) == nil)
        #expect(code(editor.received.answer(to: .null)) == -32700)
        #expect(await editor.notify("$/unknown") == nil)
        await editor.request(3, "shutdown")
        #expect(editor.received.answer(to: 3)?["result"] == .null)
        await editor.request(4, "textDocument/inlineCompletion")
        #expect(code(editor.received.answer(to: 4)) == -32600)
        #expect(await editor.notify("exit") == 0)
        #expect(await Editor().notify("exit") == 1)
    }

    /// The completion is what a session gives for the same prompt, at a position in UTF-16 behind an emoji and "\r\n".
    @Test func completionsAreTheModelsAnswers() async throws {
        let editor = Editor()
        await editor.initialize()
        await editor.open("file:///home/user/project/other.swift", "let other = 3\n")
        await editor.open("file:///home/user/project/a.swift", "// 😀\r\nlet x = \r\nlet z = 1\r\n")
        _ = await editor.notify(
            "textDocument/didChange",
            [
                "textDocument": ["uri": "file:///home/user/project/a.swift", "version": 2],
                "contentChanges": [
                    [
                        "range": ["start": ["line": 0, "character": 5], "end": ["line": 0, "character": 5]],
                        "text": "!",
                    ]
                ],
            ])
        await editor.complete(7, "file:///home/user/project/a.swift", line: 1, character: 8)
        await editor.server.finish()
        let items = try #require(editor.received.answer(to: 7)?["result"]?["items"]?.array)

        let model = try Model(contentsOf: Fixture.path("tiny-qwen2-f32"), options: .init(threads: 1))
        var completion = InlineCompletion(prefix: "// 😀!\r\nlet x = ", suffix: "\r\nlet z = 1\r\n", isInvoked: true)
        completion.fileName = "a.swift"
        completion.repositoryName = "project"
        completion.context = [SourceFile(name: "other.swift", text: "let other = 3\n")]
        let tokens = try completion.tokens(for: model, limit: 512 - completion.options.reservedTokens(of: 512))
        let session = try model.makeSession(.init(contextLength: 512, drafter: .none))
        let answer = try await session.respond(to: .tokens(tokens), options: completion.options)
        let text = completion.shown(of: answer.text)
        #expect(items.first?["insertText"]?.string == (text.isEmpty ? nil : text))
    }

    @Test func aKeyCancelsWhatIsRunning() async throws {
        let editor = Editor(pause: .seconds(600))
        await editor.initialize()
        let uri = "file:///a.swift"
        await editor.open(uri, "let x = ")
        await editor.complete(1, uri, line: 0, character: 8, invoked: false)
        await editor.complete(2, uri, line: 0, character: 8, invoked: false)
        _ = await editor.notify(
            "textDocument/didChange",
            ["textDocument": ["uri": .string(uri)], "contentChanges": [["text": "let x = 1"]]])
        await editor.server.finish()
        for id in [1, 2] { #expect(code(editor.received.answer(to: .integer(id))) == -32800) }
        await editor.complete(3, uri, line: 0, character: 8, invoked: false)
        _ = await editor.notify("$/cancelRequest", ["id": 3])
        await editor.server.finish()
        #expect(code(editor.received.answer(to: 3)) == -32800)
        await editor.complete(4, uri, line: 0, character: 9)
        await editor.server.finish()
        #expect(editor.received.answer(to: 4)?["result"]?["items"]?.array != nil)
    }
}

#endif
