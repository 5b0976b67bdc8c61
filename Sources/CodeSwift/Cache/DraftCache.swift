// The file that keeps a drafter's memory between runs.

import InferSupport
import InferTokenizers
import Synchronization

/// The file with what was learned in one repository with one tokenizer.
///
/// Reading and writing take place on a thread of its own; nobody waits for it but ``finish()``. A file that is damaged, or of
/// something else, counts as none and is replaced. Of two processes the one that writes last wins.
package final class DraftCache: Sendable {
    /// A memory that was read, with the index of its history.
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
        /// What is to be written when there is time.
        var pending: DraftMemory?
    }

    /// The file.
    package let path: String
    private let folder: String
    private let repository: String
    private let fingerprint: UInt64
    private let vocabularyCount: Int
    private let warn: @Sendable (String) -> Void
    private let state = Mutex(State())
    private let ready = Atomic(false)

    /// Files that a folder may hold; beyond, those unused for longest are removed.
    private static let maximumFiles = 64
    private static let suffix = ".drafts"

    /// The cache for the repository at `repository`, "" for none, in `folder`.
    ///
    /// - Parameter warn: Told, from any thread, what could not be read or written.
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

    /// The user's folder for drafters' memories.
    ///
    /// - Throws: ``InferenceError`` as ``UserCacheFolder/path(for:)`` does.
    package static var standardFolder: String {
        get throws(InferenceError) { try UserCacheFolder.path(for: "drafts") }
    }

    /// Begins to read the file.
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

    /// What was read, once; nil until it has been, and when there was nothing.
    func takeContents() -> Contents? {
        guard ready.load(ordering: .acquiring) else { return nil }
        ready.store(false, ordering: .relaxed)
        return state.withLock { state in
            defer { state.contents = nil }
            return state.contents
        }
    }

    /// Whether nothing is being read.
    package var isRead: Bool {
        state.withLock { state in
            if case .reading = state.work { false } else { true }
        }
    }

    /// Writes `memory` soon. What was to be written before and is not yet, never will be.
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

    /// Returns when all is written.
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
        // After an update nothing is wrong with the file, and it is soon replaced.
        if let file, DraftMemory.isOfOtherVersion(file.bytes) { return nil }
        guard let file,
            let memory = DraftMemory(
                file.bytes, repository: repository, fingerprint: fingerprint, vocabularyCount: vocabularyCount)
        else {
            warn("the drafter begins anew: \(path) is damaged, or not its memory")
            return nil
        }
        var automaton = SuffixAutomaton()
        for token in memory.history { automaton.append(token) }
        return Contents(memory: memory, automaton: automaton)
    }

    private func write(_ memory: DraftMemory) throws(InferenceError) {
        makeFolders()
        // Outputs are the user's alone.
        let file = try OutputFile(replacing: path, mode: 0o600)
        try file.append(memory.encoded(repository: repository, fingerprint: fingerprint))
        try file.commit()
        removeOldest()
    }

    /// Makes the folder and those above it, as far as they are missing; what fails shows when the file is created.
    private func makeFolders() {
        var place = folder.startIndex
        while place < folder.endIndex {
            place = folder[folder.index(after: place)...].firstIndex(of: "/") ?? folder.endIndex
            mkdir(String(folder[..<place]), 0o700)
        }
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
