// Programs that the command starts, with their output.

import Foundation
import InferSupport

/// A running program. Its standard output is read in pieces; its standard error is kept.
final class ChildProcess {
    /// How a program ended.
    struct End {
        /// The exit status; nil if a signal ended the program.
        let status: Int32?
        /// The number of that signal.
        let signal: Int32?
        /// The text on standard error, at most 64 KiB.
        let errors: String
    }

    private let program: String
    private let process: pid_t
    private var output: Int32
    private var errors: Int32
    private var errorText: [UInt8] = []
    private var end: End?
    private var buffer = [UInt8](repeating: 0, count: 1 << 17)

    /// Starts `program`, which is searched in the folders of `PATH`, with `input` as its standard input of at most a few kilobytes.
    ///
    /// - Parameter withheld: Environment variables that the program does not get.
    /// - Returns: nil if there is no such program.
    /// - Throws: ``InferenceError`` with `unreadableFile` if it cannot be started.
    init?(
        _ program: String, _ arguments: [String], input: String = "", withholding withheld: Set<String> = []
    ) throws(InferenceError) {
        self.program = program
        var actions = Self.emptyActions()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        var pipes: [(read: Int32, write: Int32)] = []
        for _ in 0..<3 {
            guard let pipe = Self.makePipe() else {
                let reason = String(cString: strerror(errno))
                for pipe in pipes { Self.closeAll(pipe.read, pipe.write) }
                throw InferenceError(.unreadableFile, "cannot start \(program): \(reason)")
            }
            pipes.append(pipe)
        }
        posix_spawn_file_actions_adddup2(&actions, pipes[0].read, STDIN_FILENO)
        posix_spawn_file_actions_adddup2(&actions, pipes[1].write, STDOUT_FILENO)
        posix_spawn_file_actions_adddup2(&actions, pipes[2].write, STDERR_FILENO)
        // The threads of Swift's tasks block signals, and a program would keep that.
        var attributes = Self.emptyAttributes()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var blocked = sigset_t()
        sigemptyset(&blocked)
        posix_spawnattr_setsigmask(&attributes, &blocked)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        let variables = ProcessInfo.processInfo.environment.filter { !withheld.contains($0.key) }
        var process: pid_t = 0
        let failure = Self.withStrings([program] + arguments) { arguments in
            Self.withStrings(variables.map { "\($0)=\($1)" }) { variables in
                posix_spawnp(&process, program, &actions, &attributes, arguments, variables)
            }
        }
        (self.process, output, errors) = (process, pipes[1].read, pipes[2].read)
        // The reading end stays open until the input is written: a program that ends early must not end this one by SIGPIPE. The
        // pipe holds more than the input.
        if failure == 0 { Self.write(input, to: pipes[0].write) }
        Self.closeAll(pipes[0].read, pipes[0].write, pipes[1].write, pipes[2].write)
        if failure != 0 {
            end = End(status: nil, signal: nil, errors: "")
            if failure == ENOENT { return nil }
            throw InferenceError(.unreadableFile, "cannot start \(program): \(String(cString: strerror(failure)))")
        }
    }

    deinit {
        if end == nil {
            kill(process, SIGTERM)
            wait()
        }
        Self.closeAll(output, errors)
    }

    /// The next bytes of standard output, as soon as there are any; nil at its end.
    ///
    /// - Parameter idle: Called ten times a second while nothing comes.
    /// - Throws: ``InferenceError`` with `cancelled` if the task is cancelled. The program is ended.
    func read(idle: () -> Void = {}) throws(InferenceError) -> ArraySlice<UInt8>? {
        while output >= 0 {
            guard !Task.isCancelled else {
                kill(process, SIGTERM)
                throw InferenceError(.cancelled, "\(program) was ended")
            }
            var sources = [
                pollfd(fd: output, events: Int16(POLLIN), revents: 0),
                pollfd(fd: errors, events: Int16(POLLIN), revents: 0),
            ]
            let count = poll(&sources, nfds_t(sources.count), 100)
            if count == 0 { idle() }
            guard count > 0 else { continue }
            if sources[1].revents != 0 { readErrors() }
            if sources[0].revents != 0 {
                let count = systemRead(output, &buffer)
                if count > 0 { return buffer[..<count] }
                if count < 0, errno == EINTR { continue }
                Self.closeAll(output)
                output = -1
            }
        }
        return nil
    }

    /// Reads and drops what is left of the output, and waits for the end of the program.
    ///
    /// - Throws: ``InferenceError`` with `cancelled` if the task is cancelled, or if Ctrl-C ended the program.
    func finish() throws(InferenceError) -> End {
        while try read() != nil {}
        while errors >= 0 { readErrors() }
        wait()
        guard let end, end.signal != SIGINT else { throw InferenceError(.cancelled, "\(program) was interrupted") }
        return end
    }

    /// Ends the program. Output that has not been read is lost.
    func stop() {
        guard end == nil else { return }
        kill(process, SIGTERM)
        wait()
    }

    private func readErrors() {
        let count = systemRead(errors, &buffer)
        if count > 0 {
            errorText += buffer[..<count].prefix(max(0, 1 << 16 - errorText.count))
        } else if count == 0 || errno != EINTR {
            Self.closeAll(errors)
            errors = -1
        }
    }

    private func wait() {
        guard end == nil else { return }
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        let signal = status & 0x7f
        end = End(
            status: signal == 0 ? status >> 8 & 0xff : nil, signal: signal == 0 ? nil : signal,
            errors: String(decoding: errorText, as: UTF8.self))
    }

    // MARK: System calls

    #if canImport(Darwin)
    private static func emptyActions() -> posix_spawn_file_actions_t? { nil }
    private static func emptyAttributes() -> posix_spawnattr_t? { nil }
    #else
    private static func emptyActions() -> posix_spawn_file_actions_t { posix_spawn_file_actions_t() }
    private static func emptyAttributes() -> posix_spawnattr_t { posix_spawnattr_t() }
    #endif

    private static func makePipe() -> (read: Int32, write: Int32)? {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return nil }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (ends[0], ends[1])
    }

    /// Lends `strings` as the array of C strings that starting a program takes.
    private static func withStrings<R>(
        _ strings: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> R
    ) -> R {
        var pointers: [UnsafeMutablePointer<CChar>?] = strings.map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        return body(&pointers)
    }

    private static func write(_ text: String, to descriptor: Int32) {
        let bytes = Array(text.utf8)
        bytes.withUnsafeBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let written = Output.systemWrite(descriptor, UnsafeRawBufferPointer(rebasing: rest))
                if written < 0, errno == EINTR { continue }
                guard written > 0 else { return }
                rest = rest.dropFirst(written)
            }
        }
    }

    private static func closeAll(_ descriptors: Int32...) {
        for descriptor in descriptors where descriptor >= 0 { close(descriptor) }
    }
}

/// `read(2)`. A type that has a method with this name cannot call it directly.
private func systemRead(_ descriptor: Int32, _ buffer: inout [UInt8]) -> Int {
    let count = buffer.count
    return read(descriptor, &buffer, count)
}
