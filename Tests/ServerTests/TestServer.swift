// A server over a tiny model for tests, and a client that sends exactly the bytes it is given.

#if Server

import Foundation
import InferSupport
import Logging
import SwiftInfer
import SwiftInferServer
import TestSupport

/// A running server on a free port of 127.0.0.1.
struct TestServer: Sendable {
    let port: Int

    /// Runs a server while `body` runs, which begins when the model is loaded.
    static func run(
        _ model: String = "tiny-qwen2-f32", waitsForModel: Bool = true,
        load: (@Sendable () throws -> Model)? = nil,
        edit: (inout InferenceServer.Options) -> Void = { _ in },
        _ body: @escaping @Sendable (TestServer) async throws -> Void
    ) async throws {
        var options = InferenceServer.Options(modelName: model)
        options.port = 0
        options.drafter = { name, _ in
            name.map { name in DrafterChoice.all.first { $0.description == name } } ?? DrafterChoice.none
        }
        options.scheduling.contextLength = 256
        edit(&options)
        let server = try InferenceServer(options, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }) {
            _ in
            try load?() ?? Model(contentsOf: Fixture.path(model), options: .init(threads: 1))
        }
        let (ports, continuation) = AsyncStream<Int>.makeStream()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run { continuation.yield($0) } }
            group.addTask {
                for await port in ports {
                    let running = TestServer(port: port)
                    if waitsForModel {
                        while try await running.get("/health", host: "localhost").status == 503 {
                            try await Task.sleep(for: .milliseconds(5))
                        }
                    }
                    try await body(running)
                    return
                }
            }
            try await group.next()
            group.cancelAll()
        }
    }

    /// What the server answered.
    struct Reply: Sendable {
        var status = 0
        var headers: [String: String] = [:]
        var body = ""

        /// The body as JSON.
        var json: JSONValue { (try? JSONValue(parsing: body)) ?? .null }
        /// The objects of a stream of server-sent events.
        var events: [JSONValue] {
            body.components(separatedBy: "\n").filter { $0.hasPrefix("data: {") }
                .compactMap { try? JSONValue(parsing: String($0.dropFirst(6))) }
        }
        /// The objects of a stream of lines.
        var lines: [JSONValue] { body.split(separator: "\n").compactMap { try? JSONValue(parsing: String($0)) } }
        /// The member `name` of the error.
        func error(_ name: String) -> String? { json["error"]?[name]?.string }
    }

    func get(_ path: String, host: String = "localhost", headers: [String] = []) async throws -> Reply {
        try await send("GET \(path) HTTP/1.1\r\nHost: \(host)\r\n\(Self.lines(headers))Connection: close\r\n\r\n")
    }

    func post(
        _ path: String, _ body: JSONValue, host: String = "localhost", headers: [String] = []
    ) async throws -> Reply {
        try await post(path, text: body.description, host: host, headers: headers)
    }

    func post(_ path: String, text: String, host: String = "localhost", headers: [String] = []) async throws -> Reply {
        try await send(
            """
            POST \(path) HTTP/1.1\r\nHost: \(host)\r\nContent-Type: application/json\r\n\(Self.lines(headers))\
            Content-Length: \(text.utf8.count)\r\nConnection: close\r\n\r\n\(text)
            """)
    }

    private static func lines(_ headers: [String]) -> String { headers.map { $0 + "\r\n" }.joined() }

    /// Sends `bytes` and reads until the server closes the connection.
    func send(_ bytes: String) async throws -> Reply {
        let connection = try await connect()
        try await connection.write(bytes)
        return Self.reply(try await connection.readAll())
    }

    func connect() async throws -> TestConnection { try await TestConnection.open(port) }

    private static func reply(_ bytes: [UInt8]) -> Reply {
        let text = String(decoding: bytes, as: UTF8.self)
        guard let end = text.range(of: "\r\n\r\n") else { return Reply() }
        var reply = Reply()
        let head = text[..<end.lowerBound].components(separatedBy: "\r\n")
        reply.status = Int(head[0].split(separator: " ").dropFirst().first ?? "") ?? 0
        for line in head.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            if parts.count == 2 {
                reply.headers[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces)
            }
        }
        reply.body = String(text[end.upperBound...])
        if reply.headers["transfer-encoding"] == "chunked" { reply.body = unchunked(reply.body) }
        return reply
    }

    private static func unchunked(_ text: String) -> String {
        var bytes = Array(text.utf8)[...]
        var result: [UInt8] = []
        while let line = bytes.firstIndex(of: 13),
            let size = Int(String(decoding: bytes[..<line], as: UTF8.self), radix: 16), size > 0
        {
            result += bytes[(line + 2)..<(line + 2 + size)]
            bytes = bytes[(line + 4 + size)...]
        }
        return String(decoding: result, as: UTF8.self)
    }
}

/// A connection over TCP. It blocks threads of its own, never those of Swift's tasks.
struct TestConnection: Sendable {
    let descriptor: Int32

    static func open(_ port: Int) async throws -> TestConnection {
        try await onThread {
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = in_port_t(port).bigEndian
            address.sin_addr.s_addr = inet_addr("127.0.0.1")
            var timeout = timeval(tv_sec: 60, tv_usec: 0)
            setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
            let result = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    Foundation.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            guard result == 0 else { throw POSIXError(.ECONNREFUSED) }
            return TestConnection(descriptor: descriptor)
        }
    }

    func write(_ text: String) async throws {
        try await Self.onThread {
            var bytes = Array(text.utf8)[...]
            while !bytes.isEmpty {
                let count = bytes.withUnsafeBytes {
                    Foundation.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
                guard count > 0 else { return }
                bytes = bytes.dropFirst(count)
            }
        }
    }

    /// Reads what has come, at least one byte; none if the connection is closed.
    func read() async throws -> [UInt8] {
        try await Self.onThread {
            var buffer = [UInt8](repeating: 0, count: 65536)
            let count = recv(descriptor, &buffer, buffer.count, 0)
            return Array(buffer.prefix(max(0, count)))
        }
    }

    /// Reads to the end and closes.
    func readAll() async throws -> [UInt8] {
        var all: [UInt8] = []
        while case let bytes = try await read(), !bytes.isEmpty { all += bytes }
        close()
        return all
    }

    func close() { _ = Foundation.close(descriptor) }

    private static func onThread<R: Sendable>(_ work: @escaping @Sendable () throws -> R) async throws -> R {
        try await withCheckedThrowingContinuation { continuation in
            // Dispatch has too few threads for the clients of all tests.
            Thread.detachNewThread { continuation.resume(with: Result { try work() }) }
        }
    }
}

#endif
