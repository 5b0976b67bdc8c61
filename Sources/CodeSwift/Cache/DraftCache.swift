// The file that keeps a drafter's memory between runs.

import InferSupport
import InferTokenizers
import Synchronization

/// The file with what a drafter learned in one repository with one tokenizer.
///
/// Reading and writing happen on a background thread; only ``finish()`` waits. A damaged or foreign file is ignored and
/// replaced. If two processes write, the last one wins.
package final class DraftCache: Sendable {
    /// A memory that was read, and the automaton of its history.
    struct Contents: Sendable {
        var memory: DraftMemory
        var automaton: SuffixAutomaton
    }

    private enum Work {
        case none, reading, writing
    }

    private struct State {
        var work = Work.none
        var contents: Contents?
        /// The memory to write next.
        var pending: DraftMemory?
    }

    /// The path of the file.
    package let path: String
    private let folder: String
    private let repository: String
    private let fingerprint: UInt64
    private let vocabularyCount: Int
    private let warn: @Sendable (String) -> Void
    private let state = Mutex(State())
    private let ready = Atomic(false)

    /// Maximum number of files in the folder. Beyond it, the least recently written ones are removed.
    private static let maximumFiles = 64
    private static let suffix = ".drafts"

    /// A cache in `folder` for a repository.
    ///
    /// - Parameters:
    ///   - folder: The folder of the cache file; created when the file is written.
    ///   - repository: The path of the repository; "" for none.
    ///   - tokenizer: The tokenizer of the model.
    ///   - warn: Called from any thread with what could not be read or written.
    package init(
        folder: String, repository: String, tokenizer: TokenizerIdentity,
        warn: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.folder = folder
        self.repository = AbsolutePath.resolve(repository) ?? repository
        self.warn = warn
        fingerprint = tokenizer.fingerprint
        vocabularyCount = tokenizer.vocabularyCount
        var key = Array(self.repository.utf8)
        key.appendLittleEndian(fingerprint)
        let name = String(XXHash64.hash(key), radix: 16)
        path = "\(folder)/\(String(repeating: "0", count: 16 - name.utf8.count))\(name)\(Self.suffix)"
    }

    /// The user's folder for draft caches.
    ///
    /// - Throws: ``InferenceError`` as ``UserFolder/path(for:)`` does.
    package static var standardFolder: String {
        get throws(InferenceError) { try UserFolder.cache.path(for: "drafts") }
    }

    /// Starts to read the file in the background.
    package func load() {
        state.withLock { $0.work = .reading }
        let isUnderWay = WorkerThreads.detach { [self] in
            let contents = read()
            state.withLock { state in
                state.contents = contents
                state.work = .none
            }
            ready.store(contents != nil, ordering: .releasing)
        }
        if !isUnderWay { state.withLock { $0.work = .none } }
    }

    /// The contents of the file: once, after they have been read. Nil before that, and if there are none.
    func takeContents() -> Contents? {
        guard ready.load(ordering: .acquiring) else { return nil }
        ready.store(false, ordering: .relaxed)
        return state.withLock { state in
            defer { state.contents = nil }
            return state.contents
        }
    }

    /// Whether no read is in progress.
    package var isRead: Bool {
        state.withLock { state in
            if case .reading = state.work { false } else { true }
        }
    }

    /// Writes `memory` in the background. Replaces a memory that still waits to be written.
    package func save(_ memory: DraftMemory) {
        let begins = state.withLock { state in
            state.pending = memory
            guard case .none = state.work else { return false }
            state.work = .writing
            return true
        }
        guard begins, !WorkerThreads.detach({ [self] in writePending() }) else { return }
        state.withLock { $0.work = .none }
    }

    /// Waits until everything is written.
    package func finish() {
        while true {
            let isIdle = state.withLock { state in
                guard case .none = state.work else { return false }
                if state.pending != nil { state.work = .writing }
                return true
            }
            if isIdle { return writePending() }
            usleep(500)
        }
    }

    private func writePending() {
        while true {
            let memory = state.withLock { state in
                defer { state.pending = nil }
                if state.pending == nil, case .writing = state.work { state.work = .none }
                return state.pending
            }
            guard let memory else { return }
            do throws(InferenceError) {
                try write(memory)
            } catch {
                warn("what the drafter learned is not kept: \(error.message)")
            }
        }
    }

    private func read() -> Contents? {
        guard access(path, F_OK) == 0 else { return nil }
        let file = try? MappedFile(path: path)
        // A file of another version is expected after an update and is soon replaced.
        if let file, DraftMemory.isOfOtherVersion(file.bytes) { return nil }
        guard let file,
            let memory = DraftMemory(
                file.bytes, repository: repository, fingerprint: fingerprint, vocabularyCount: vocabularyCount)
        else {
            warn("the drafter begins anew: \(path) is damaged, or not its memory")
            return nil
        }
        var automaton = SuffixAutomaton()
        automaton.reserve(tokens: HistorySource.standardLimit)
        for token in memory.history { automaton.append(token) }
        return Contents(memory: memory, automaton: automaton)
    }

    private func write(_ memory: DraftMemory) throws(InferenceError) {
        // Outputs are private to the user.
        try Folder.create(folder, mode: 0o700)
        let file = try OutputFile(replacing: path, mode: 0o600)
        try file.append(memory.encoded(repository: repository, fingerprint: fingerprint))
        try file.commit()
        removeOldest()
    }

    private func removeOldest() {
        guard let directory = opendir(folder) else { return }
        defer { closedir(directory) }
        var files: [(path: String, time: Int)] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            let path = "\(folder)/\(name)"
            var status = stat()
            guard name.hasSuffix(Self.suffix), lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
                continue
            }
            #if canImport(Darwin)
            files.append((path, status.st_mtimespec.tv_sec))
            #else
            files.append((path, status.st_mtim.tv_sec))
            #endif
        }
        guard files.count > Self.maximumFiles else { return }
        for file in files.sorted(by: { $0.time < $1.time }).dropLast(Self.maximumFiles) { unlink(file.path) }
    }
}
