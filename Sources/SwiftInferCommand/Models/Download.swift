// Fetching a file: resumed where it stopped, checked, and named when it is complete.

import Foundation
import InferEvaluation
import InferSupport

/// A file to fetch, and what is known of it before.
struct Download: Sendable {
    /// Where it is.
    let url: URL
    /// Where it goes.
    let target: String
    /// Its size in bytes, if known.
    var size: Int?
    /// Its SHA-256 in hexadecimal digits, if known.
    var sha256: String?
    /// A secret for the host of `url`.
    var token: String?
    /// What to do if the server does not allow the transfer.
    var hint: String?
    /// After how many seconds without data a transfer is given up.
    var patience = 30
    /// Whether a file that is there already is fetched again.
    var replaces = false

    /// What ``run()`` found.
    enum Result {
        /// The file was there already.
        case present
        /// The file was fetched.
        case fetched
    }

    /// How often a failed transfer is begun again, if nothing came in between.
    private static let attempts = 4
    /// Without a known size, this much of the disk stays free.
    private static let reserve = 1 << 30
    private static let magic = Array("GGUF".utf8)

    private var name: String { URL(fileURLWithPath: target).lastPathComponent }

    /// Fetches the file. If it fails or is cancelled, what has come is kept, and the next run goes on there.
    ///
    /// - Throws: ``InferenceError``: `unreadableFile`, `unwritableFile`, or `cancelled` if the task is cancelled.
    func run() throws(InferenceError) -> Result {
        let part = try openPart()
        if try isComplete() { return .present }
        var failures = 0
        while true {
            let before = part.count
            do {
                try transfer(into: part)
                try finish(part)
                return .fetched
            } catch let failure as WebTransfer.Failure {
                failures = part.count > before ? 1 : failures + 1
                guard failure.isTransient, failures < Self.attempts else { throw error(failure, part) }
                Output.standardError("\(failure.message); trying again\n")
                try pause(seconds: 1 << (failures - 1))
            } catch let error as InferenceError {
                throw error
            } catch {
                throw InferenceError(.unreadableFile, "\(url.shown) cannot be fetched", cause: error)
            }
        }
    }

    /// The part of the file, which no other process writes to.
    func openPart() throws(InferenceError) -> PartialFile {
        try PartialFile(of: target) {
            Output.standardError("another process is fetching \(target); waiting for it\n")
        }
    }

    private func error(_ failure: WebTransfer.Failure, _ part: PartialFile) -> InferenceError {
        let rest = part.count > 0 ? "; \(Format.bytes(part.count)) are kept, so the same command goes on there" : ""
        return InferenceError(.unreadableFile, failure.message + rest)
    }

    private func pause(seconds: Int) throws(InferenceError) {
        for _ in 0..<(10 * seconds) {
            guard !Task.isCancelled else { throw InferenceError(.cancelled, "the transfer was cancelled") }
            usleep(100_000)
        }
    }

    /// Whether the file is there already, as far as that can be known.
    func isComplete() throws(InferenceError) -> Bool {
        guard !replaces, OutputFile.exists(target) else { return false }
        let count = (try? FileManager.default.attributesOfItem(atPath: target)[.size] as? Int) ?? 0
        if let size, size != count {
            Output.standardError("\(target) has \(count) bytes, but should have \(size); fetching it again\n")
            return false
        }
        guard let sha256 else { return true }
        let bar = ProgressBar("checking \(name)")
        defer { bar.clear() }
        guard try PartialFile.digest(of: target, progress: { bar.update($0) }) == sha256 else {
            bar.clear()
            Output.standardError("\(target) does not have the expected SHA-256; fetching it again\n")
            return false
        }
        return true
    }

    /// Fetches what is missing of `part`.
    private func transfer(into part: PartialFile) throws {
        var record = part.record
        let belongs =
            record?.url == url.shown && (sha256 == nil || record?.sha256 == sha256)
            && (size == nil || record?.size == nil || record?.size == size)
        // Without a mark of the version, only the SHA-256 can say that two parts belong together.
        var offset = belongs && (record?.condition != nil || record?.sha256 != nil) ? part.count : 0
        if part.count > 0, offset == 0 {
            Output.standardError("what came of \(name) before is of another file; beginning again\n")
        }
        if offset > 0, let total = size ?? record?.size {
            if offset == total { return }
            if offset > total { offset = 0 }
        }
        var request = WebTransfer.Request(url: url, token: token, patience: patience)
        if offset > 0 {
            request.headers["Range"] = "bytes=\(offset)-"
            request.headers["If-Range"] = record?.condition
        }
        let transfer = try WebTransfer(request)
        defer { transfer.stop() }
        let head = transfer.head
        switch head.status {
        case 200:
            if offset > 0 {
                let changed = record?.etag != head.headers["etag"] || record?.size != head.number("content-length")
                Output.standardError(
                    changed
                        ? "\(name) has changed on the server; beginning again\n"
                        : "the server sends whole files only; beginning \(name) again\n")
            }
            // The hub gives the SHA-256 of large files where it redirects.
            let linked = transfer.redirectionHeaders["x-linked-etag"]?.filter { $0 != "\"" }
            record = PartialFile.Record(
                url: url.shown, size: size ?? head.number("content-length"), etag: head.headers["etag"],
                lastModified: head.headers["last-modified"],
                sha256: sha256 ?? linked.flatMap { SHA256.isDigest($0) ? $0.lowercased() : nil })
        case 206:
            guard let record, let range = ContentRange(head.headers["content-range"] ?? ""), range.first == offset,
                record.size == nil || range.total == nil || range.total == record.size,
                // Some servers send the part without a look at If-Range.
                record.etag == nil || head.headers["etag"] == nil || head.headers["etag"] == record.etag,
                record.lastModified == nil || head.headers["last-modified"] == nil
                    || head.headers["last-modified"] == record.lastModified
            else {
                try part.begin(PartialFile.Record(url: url.shown, sha256: sha256))
                throw WebTransfer.Failure(
                    message: "\(url.shown) sends another part than the one that is missing", isTransient: true)
            }
        case 416 where offset > 0:
            try part.begin(PartialFile.Record(url: url.shown, sha256: sha256))
            throw WebTransfer.Failure(message: "\(name) has become shorter on the server", isTransient: true)
        default:
            throw transfer.failure(hint: [401, 403].contains(head.status) ? hint : nil)
        }
        let resumes = head.status == 206
        if let size, !resumes, let announced = head.number("content-length"), announced != size {
            throw WebTransfer.Failure(
                message: "\(url.shown) has \(announced) bytes, but should have \(size)", isTransient: false)
        }
        let total = record?.size
        if let total { try OutputCheck(target).requireSpace(total - (resumes ? offset : 0)) }
        var first: [UInt8] = []
        if !resumes {
            // Compare before anything is dropped: a page that asks for a password is no model.
            while first.count < Self.magic.count, let bytes = try transfer.read() { first += bytes }
            guard first.starts(with: Self.magic) else {
                let type = head.headers["content-type"].map { ", but \($0.printable)" } ?? ""
                throw WebTransfer.Failure(message: "\(url.shown) is not a GGUF file\(type)", isTransient: false)
            }
            if let record { try part.begin(record) }
        }
        try receive(transfer, first, into: part, total: total)
    }

    private func receive(
        _ transfer: WebTransfer, _ first: [UInt8], into part: PartialFile, total: Int?
    ) throws {
        let progress = TransferProgress(name, count: part.count, total: total)
        defer { progress.clear() }
        var unchecked = 0
        func take(_ bytes: ArraySlice<UInt8>) throws {
            if let total, part.count + bytes.count > total {
                throw WebTransfer.Failure(message: "\(url.shown) sends more than \(total) bytes", isTransient: false)
            }
            try part.append(bytes)
            unchecked += bytes.count
            if total == nil, unchecked > 1 << 26 {
                try OutputCheck(target).requireSpace(Self.reserve)
                unchecked = 0
            }
            progress.update(part.count)
        }
        try take(first[...])
        while let bytes = try transfer.read(idle: { progress.update(part.count) }) { try take(bytes) }
        if let total, part.count < total {
            throw WebTransfer.Failure(
                message: "\(url.shown) ended after \(part.count) of \(total) bytes", isTransient: true)
        }
    }

    /// Compares the complete part with its SHA-256, and gives it its name.
    func finish(_ part: PartialFile) throws(InferenceError) {
        if let size, part.count != size {
            let count = part.count
            part.remove()
            throw InferenceError(
                .unreadableFile, "\(url.shown) has \(count) bytes, but should have \(size); nothing was kept")
        }
        if let sha256 = sha256 ?? part.record?.sha256 {
            let bar = ProgressBar("checking \(name)")
            defer { bar.clear() }
            let found = try part.digest { bar.update($0) }
            guard found == sha256 else {
                part.remove()
                throw InferenceError(
                    .unreadableFile,
                    "what came from \(url.shown) has the SHA-256 \(found), but should have \(sha256); nothing was kept")
            }
        }
        try part.complete()
    }
}

/// The header `Content-Range` of a part: `bytes FIRST-LAST/TOTAL` (RFC 9110, 14.4).
package struct ContentRange {
    /// The number of the first byte, from 0.
    package let first: Int
    /// The bytes of the whole; nil if the server does not know.
    package let total: Int?

    /// Reads a header; nil if it is malformed.
    package init?(_ header: String) {
        let parts = header.split(whereSeparator: { $0 == " " || $0 == "-" || $0 == "/" }).map(String.init)
        guard parts.count == 4, parts[0].lowercased() == "bytes", let first = Int(parts[1]), let last = Int(parts[2]),
            first <= last, parts[3] == "*" || Int(parts[3]) != nil
        else { return nil }
        (self.first, total) = (first, Int(parts[3]))
    }
}

/// The progress of a transfer: a bar on a terminal, elsewhere a line every ten seconds.
package final class TransferProgress {
    private let name: String
    private let total: Int?
    private let bar: ProgressBar
    /// When how many bytes were there, over the last seconds.
    private var marks: [(time: ContinuousClock.Instant, count: Int)]
    private var lastLine = ContinuousClock.now

    private static let window = Duration.seconds(5), lineInterval = Duration.seconds(10)

    /// Progress of the file `name`, of which `count` bytes are there.
    init(_ name: String, count: Int, total: Int?) {
        (self.name, self.total) = (name, total)
        bar = ProgressBar("fetching")
        marks = [(.now, count)]
    }

    /// Shows that `count` bytes are there.
    func update(_ count: Int) {
        let now = ContinuousClock.now
        if let last = marks.last, now - last.time > .milliseconds(250) { marks.append((now, count)) }
        while marks.count > 2, now - marks[0].time > Self.window { marks.removeFirst() }
        let text = Self.text(count: count, total: total, rate: rate(now, count))
        bar.update(total.map { Double(count) / Double(max($0, 1)) }, note: text)
        guard !Terminal.canRedraw, now - lastLine > Self.lineInterval else { return }
        lastLine = now
        Output.standardError("\(name): \(text)\n")
    }

    /// Removes the bar.
    func clear() { bar.clear() }

    private func rate(_ now: ContinuousClock.Instant, _ count: Int) -> Double? {
        let seconds = (now - marks[0].time).seconds
        return seconds > 0.5 ? Double(count - marks[0].count) / seconds : nil
    }

    /// Bytes, share, bytes per second and the time that is left.
    package static func text(count: Int, total: Int?, rate: Double?) -> String {
        var text = Format.bytes(count)
        if let total { text += " of \(Format.bytes(total))" }
        guard let rate else { return text }
        text += ", \(Format.bytes(Int(rate)))/s"
        guard let total, rate > 0 else { return text }
        let left = Int((Double(total - count) / rate).rounded(.up))
        guard left < 360_000 else { return text }
        func padded(_ number: Int) -> String { (number < 10 ? "0" : "") + String(number) }
        let (hours, minutes) = (left / 3600, left / 60 % 60)
        return text + ", " + (hours > 0 ? "\(hours):\(padded(minutes))" : "\(minutes)") + ":\(padded(left % 60)) left"
    }
}
