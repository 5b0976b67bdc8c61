// Errors, keys, names and origins, limits, disconnects, and the end of a server.

#if Server

import Dispatch
import InferSupport
import Logging
import SwiftInfer
import SwiftInferServer
import TestSupport
import Testing

@Suite struct SafetyTests {
    @Test(arguments: [
        (#"{"prompt":"a","temperature":-1}"#, "temperature"), (#"{"prompt":"a","temperature":"hot"}"#, "temperature"),
        (#"{"prompt":"a","temperature":1e999}"#, "temperature"), (#"{"prompt":"a","top_p":2}"#, "top_p"),
        (#"{"prompt":"a","n":0}"#, "n"), (#"{"prompt":"a","n":1000000}"#, "n"),
        (#"{"prompt":"a","max_tokens":1.5}"#, "max_tokens"), (#"{"prompt":"a","stop":[1]}"#, "stop"),
        (#"{"prompt":"a","stop":"\#(String(repeating: "x", count: 2000))"}"#, "stop"),
        (#"{"prompt":"a","logit_bias":{"999999":1}}"#, "logit_bias"), (#"{"prompt":"a","seed":{}}"#, "seed"),
        (#"{"prompt":"a","drafter":"magic"}"#, "drafter"), (#"{"prompt":"a","grammar":"root ::= x"}"#, "grammar"),
        (#"{"prompt":"a","response_format":{"type":"xml"}}"#, "response_format.type"),
        (
            #"{"prompt":"a","response_format":{"type":"json_schema","json_schema":{"schema":{"not":{}}}}}"#,
            "response_format.json_schema.schema"
        ), (#"{"prompt":"a","response_format":{"type":"json_schema"}}"#, "response_format.schema"),
        (#"{"prompt":"a","json_schema":{"type":"float"}}"#, "json_schema"),
        (#"{"prompt":"a","guided_regex":"("}"#, "guided_regex"),
        (#"{"prompt":"a","guided_grammar":"x"}"#, "guided_grammar"),
        (#"{"prompt":"a","guided_choice":["a"],"json_schema":{"type":"null"}}"#, "guided_choice"),
        (#"{"prompt":"a","stream":1}"#, "stream"), (#"{"prompt":[-1]}"#, "prompt[0]"),
        (#"{"prompt":[99999999]}"#, "prompt[0]"), (#"{"prompt":[]}"#, "prompt"), (#"{"prompt":{}}"#, "prompt"),
        (#"{}"#, "prompt"), (#"{"prompt":[["a"]]}"#, "prompt[0][0]"), (#"{"prompt":"a","logprobs":99}"#, "logprobs"),
    ])
    func aBadFieldIsNamed(body: String, field: String) async throws {
        try await TestServer.run { server in
            let reply = try await server.post("/v1/completions", text: body)
            #expect(reply.status == 400, "\(reply)")
            #expect(reply.error("param") == field, "\(reply)")
            #expect(reply.error("type") == "invalid_request_error")
            #expect(try await server.get("/health").status == 200)
        }
    }

    @Test func badBodiesAreRefused() async throws {
        try await TestServer.run { server in
            for body in [
                "", "[1]", "{\"prompt\":", "{\"prompt\":NaN}", String(repeating: "[", count: 10_000),
                "{\"a\":" + String(repeating: "[", count: 70) + String(repeating: "]", count: 70) + "}", "\u{0}",
            ] {
                let reply = try await server.post("/v1/completions", text: body)
                #expect(reply.status == 400 && reply.error("code") == "invalid_json", "\(reply)")
            }
            let long = try await server.post(
                "/v1/completions", ["prompt": .string(String(repeating: "word and ", count: 400))])
            #expect(long.status == 400 && long.error("code") == "context_length_exceeded")
            let large = try await server.post("/v1/completions", text: String(repeating: " ", count: 5 << 20))
            #expect(large.status == 413 || large.status == 0)
            #expect(try await server.get("/nothing").status == 404)
            let wrong = try await server.get("/v1/completions")
            #expect(wrong.status == 405 && wrong.headers["allow"] == "POST")
            #expect(wrong.error("code") == "method_not_allowed")
            #expect(try await server.post("/v1/models", [:]).headers["allow"] == "GET, HEAD")
            #expect(try await server.get("/" + String(repeating: "a", count: 8500)).status >= 400)
            let many = (0..<200).map { "X-\($0): 1" }
            #expect(try await server.get("/health", headers: many).status == 400)
            #expect(try await server.send("nonsense\r\n\r\n").status == 400)
        }
    }

    @Test func namesAndOriginsAreChecked() async throws {
        try await TestServer.run(edit: {
            $0.allowedOrigins = ["https://tools.example"]
        }) { server in
            for host in ["evil.example", "localhost.evil.example", "127.0.0.2"] {
                let reply = try await server.get("/health", host: host)
                #expect(reply.status == 421 && reply.error("param") == "Host")
            }
            #expect(try await server.get("/health", host: "127.0.0.1:\(server.port)").status == 200)
            #expect(try await server.get("/health", host: "[::1]:1").status == 200)
            for origin in ["null", "http://localhost.evil.example", "https://evil.example"] {
                #expect(try await server.get("/v1/models", headers: ["Origin: \(origin)"]).status == 403)
            }
            let own = try await server.get("/v1/models", headers: ["Origin: http://localhost"])
            #expect(own.status == 200 && own.headers["access-control-allow-origin"] == nil)
            let listed = try await server.get("/v1/models", headers: ["Origin: https://tools.example"])
            #expect(listed.headers["access-control-allow-origin"] == "https://tools.example")
        }
    }

    @Test func keysAreNeeded() async throws {
        let keys = ["a-long-key-1", "a-long-key-2"]
        try await TestServer.run(edit: {
            $0.keys = keys
        }) { server in
            for path in ["/v1/models", "/metrics", "/slots", "/props", "/api/tags", "/nothing", "/openapi.json"] {
                let reply = try await server.get(path)
                #expect(reply.status == 401 && reply.headers["www-authenticate"] == "Bearer")
            }
            #expect(try await server.get("/health").status == 200)
            #expect(try await server.get("/").status == 200)
            for key in ["", "a", "a-long-key-3", "a-long-key-11", "a-long-key-"] {
                #expect(try await server.get("/v1/models", headers: ["Authorization: Bearer \(key)"]).status == 401)
            }
            for key in keys {
                #expect(try await server.get("/v1/models", headers: ["Authorization: Bearer \(key)"]).status == 200)
                #expect(try await server.get("/v1/models", headers: ["X-Api-Key: \(key)"]).status == 200)
            }
        }
    }

    @Test func aServerForOthersNeedsAKey() throws {
        var options = InferenceServer.Options(modelName: "m")
        options.host = "0.0.0.0"
        func make(_ options: InferenceServer.Options) throws {
            _ = try InferenceServer(options, logger: .init(label: "test")) { _ in throw CancellationError() }
        }
        #expect(throws: InferenceError.self) { try make(options) }
        options.keys = ["short"]
        #expect(throws: InferenceError.self) { try make(options) }
        options.keys = ["long enough"]
        try make(options)
    }

    @Test func theServerListensBeforeTheModelIsLoaded() async throws {
        let gate = Gate()
        try await TestServer.run(
            waitsForModel: false,
            load: {
                gate.wait()
                return try Model(contentsOf: Fixture.path("tiny-qwen2-f32"), options: .init(threads: 1))
            }
        ) { server in
            let reply = try await server.get("/health")
            #expect(reply.status == 503)
            #expect(reply.error("type") == "unavailable_error" && reply.error("message") == "Loading model")
            #expect(reply.json["progress"] != nil && reply.headers["retry-after"] != nil)
            #expect(try await server.post("/v1/completions", ["prompt": "a"]).status == 503)
            gate.open()
            while try await server.get("/health").status != 200 { try await Task.sleep(for: .milliseconds(5)) }
        }
    }

    @Test func aFullQueueIsReported() async throws {
        try await TestServer.run(edit: {
            $0.scheduling.sequences = 1
            $0.scheduling.maximumWaiting = 1
            // Long enough that the first request is still running when the third one comes.
            $0.scheduling.contextLength = 1 << 16
        }) { server in
            let long: JSONValue = ["prompt": "a", "max_tokens": 60_000, "ignore_eos": true, "stream": true]
            // The head of a response comes once its request is in the queue. A busy machine can end a request before the next
            // one comes, hence more of them than fit.
            var open: [TestConnection] = []
            var refused = ""
            while refused.isEmpty && open.count < 20 {
                let connection = try await server.connect()
                let body = long.description
                try await connection.write(
                    "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
                )
                let head = String(decoding: try await connection.read(), as: UTF8.self)
                if !head.hasPrefix("HTTP/1.1 200 ") { refused = head.lowercased() }
                open.append(connection)
            }
            #expect(open.count > 2 && refused.hasPrefix("http/1.1 429 ") && refused.contains("retry-after: 1\r\n"))
            // The clients go away, and their places are free again.
            for connection in open { connection.close() }
            while true {
                let reply = try await server.post("/v1/completions", ["prompt": "a", "max_tokens": 1])
                if reply.status == 200 { break }
                #expect(reply.status == 429)
                try await Task.sleep(for: .milliseconds(10))
            }
        }
    }

    @Test func slowAndSuperfluousClientsAreClosed() async throws {
        try await TestServer.run(edit: { $0.limits.headerTime = .milliseconds(50) }) { server in
            let silent = try await server.send("GET /health HTTP/1.1\r\nHost:")
            #expect(silent.status == 0)
        }
        // A server of its own: a busy machine can take longer than the time for a header to see one that is complete.
        try await TestServer.run(edit: { $0.limits.bodyTime = .milliseconds(50) }) { server in
            let slow = "POST /completion HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{"
            let late = try await server.send(slow)
            #expect(late.status == 408)
        }
        try await TestServer.run(edit: {
            $0.limits.connectionsPerAddress = 4
        }) { server in
            var open: [TestConnection] = []
            while open.count < 4 {
                let connection = try await server.connect()
                // The server counts a connection when one of its threads has accepted it, before it answers. It can still be
                // counting one of before that is closed already.
                try await connection.write("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
                if String(decoding: try await connection.read(), as: UTF8.self).hasPrefix("HTTP/1.1 200 ") {
                    open.append(connection)
                } else {
                    connection.close()
                }
            }
            #expect(try await server.get("/health").status == 503)
            for connection in open { connection.close() }
            while try await server.get("/health").status != 200 { try await Task.sleep(for: .milliseconds(5)) }
        }
    }
}

/// A door that a thread waits at.
private final class Gate: Sendable {
    private let semaphore = DispatchSemaphore(value: 0)
    func wait() { semaphore.wait() }
    func open() { semaphore.signal() }
}

#endif
