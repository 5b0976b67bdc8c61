// The parts of fetching that need no server; Tools/checks/pull has one.

import Foundation
import InferSupport
import SwiftInferCommand
import TestSupport
import Testing

struct DownloadTests {
    @Test func headsOfAnswers() throws {
        let text =
            "HTTP/1.1 206 Partial Content\r\nETag: \"a\"\r\nContent-Range:bytes 5-9/10\r\nX: 1\r\nx: 2\r\n\r\nBODY"
        let (head, length) = try #require(WebTransfer.head(in: Array(text.utf8)))
        #expect(head.status == 206 && length == text.utf8.count - 4)
        #expect(head.headers == ["etag": "\"a\"", "content-range": "bytes 5-9/10", "x": "2"])
        #expect(WebTransfer.head(in: Array("HTTP/2 200 \r\nA: b\r\n".utf8)) == nil)
        #expect(WebTransfer.head(in: Array("HTTP/2 200 \r\n\r\n".utf8))?.0.status == 200)
        #expect(WebTransfer.head(in: Array("nonsense\n\n".utf8))?.0.status == 0)
    }

    @Test func rangesOfParts() {
        let range = ContentRange("bytes 100-199/200")
        #expect(range?.first == 100 && range?.total == 200)
        #expect(ContentRange("bytes 0-0/*")?.total == nil)
        for other in ["", "bytes */200", "items 0-1/2", "bytes 9-5/10", "bytes 1-2", "bytes a-b/c"] {
            #expect(ContentRange(other) == nil, "\(other)")
        }
    }

    @Test(arguments: [
        "https://example.com/m.gguf", "http://localhost:80/m", "http://127.0.0.1:8080/m", "HTTPS://EXAMPLE.COM/",
        "http://[::1]:8000/m",
    ])
    func addressesThatAreAsked(text: String) throws {
        try WebAddress.check(#require(URL(string: text)))
    }

    @Test(arguments: [
        "http://example.com/m", "ftp://localhost/m", "file:///etc/passwd", "https:///m", "http://127.0.0.1.evil.com/",
        "http://localhost.evil.com/",
    ])
    func addressesThatAreNot(text: String) throws {
        let url = try #require(URL(string: text))
        #expect(throws: WebTransfer.Failure.self) { try WebAddress.check(url) }
    }

    @Test func redirectionsToThisMachineAreRefused() throws {
        let origin = try #require(URL(string: "https://example.com/"))
        let target = try #require(URL(string: "https://127.0.0.1/"))
        #expect(throws: WebTransfer.Failure.self) { try WebAddress.check(target, redirectedFrom: origin) }
    }

    @Test func urlsAreShownWithoutSecrets() throws {
        let url = try #require(URL(string: "https://user:password@example.com/a/b?key=secret#part"))
        #expect(url.shown == "https://example.com/a/b")
    }

    @Test func progressText() {
        #expect(TransferProgress.text(count: 1 << 20, total: nil, rate: nil) == "1.0 MiB")
        #expect(TransferProgress.text(count: 1 << 20, total: 3 << 20, rate: nil) == "1.0 MiB of 3.0 MiB")
        #expect(
            TransferProgress.text(count: 1 << 20, total: 3 << 20, rate: Double(1 << 15))
                == "1.0 MiB of 3.0 MiB, 32.0 KiB/s, 1:04 left")
        #expect(TransferProgress.text(count: 0, total: 7200, rate: 1).hasSuffix("2:00:00 left"))
    }

    @Test func partsOfFiles() throws {
        let folder = try TemporaryFolder()
        let target = folder.url.appendingPathComponent("new/m.gguf").path
        var part: PartialFile? = try PartialFile(of: target) { Issue.record("nobody else has the lock") }
        try part?.begin(PartialFile.Record(url: "u", size: 6, etag: "\"a\""))
        try part?.append([1, 2, 3])
        part = nil
        // The part and its origin survive.
        part = try PartialFile(of: target) {}
        #expect(part?.count == 3 && part?.record?.etag == "\"a\"")
        try part?.append([4, 5, 6])
        #expect(
            try part?.digest { _ in } == [1, 2, 3, 4, 5, 6 as UInt8].withUnsafeBytes { SHA256.hexadecimal(of: $0) })
        try part?.complete()
        part = nil
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.url.appendingPathComponent("new").path) == [
                "m.gguf"
            ])
        #expect(try Data(contentsOf: URL(fileURLWithPath: target)) == Data([1, 2, 3, 4, 5, 6]))
        // Nothing is left of a transfer in which nothing came.
        part = try PartialFile(of: target) {}
        try part?.begin(PartialFile.Record(url: "u"))
        part = nil
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.url.appendingPathComponent("new").path) == [
                "m.gguf"
            ])
    }

    @Test func conditionsOfRequestsForTheRest() {
        #expect(PartialFile.Record(url: "u", etag: "\"a\"", lastModified: "d").condition == "\"a\"")
        #expect(PartialFile.Record(url: "u", etag: "W/\"a\"").condition == nil)
        #expect(PartialFile.Record(url: "u", lastModified: "d").condition == "d")
    }

    @Test func memoryWarnings() {
        #expect(MemoryCheck(required: 5, available: 5).warning == nil)
        #expect(MemoryCheck(required: 5, available: nil).warning == nil)
        let warning = MemoryCheck(required: 3 << 30, available: 1 << 30).warning
        #expect(warning?.contains("3.0 GiB") == true && warning?.contains("1.0 GiB") == true)
    }
}
