// Unbuffered output to standard output and standard error.

import Foundation
import InferSupport

/// The two output streams. Every call writes immediately, so that text appears as it is generated and in order. If standard
/// output cannot be written, the program ends with status 1 and a line that says why.
enum Output {
    /// Opens /dev/null for each standard stream that is closed; otherwise the next files that are opened would take their
    /// places. It is opened for reading only, so that writing still fails.
    static func reserveStandardStreams() {
        for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) < 0 {
            // The system assigns the lowest free number, which is this one.
            _ = open("/dev/null", O_RDONLY)
        }
    }

    /// Writes `text` to standard output.
    static func standardOutput(_ text: String) { write(Array(text.utf8), to: STDOUT_FILENO) }

    /// Writes bytes to standard output.
    static func standardOutput(_ bytes: [UInt8]) { write(bytes, to: STDOUT_FILENO) }

    /// Writes `text` to standard error.
    static func standardError(_ text: String) { write(Array(text.utf8), to: STDERR_FILENO) }

    /// Writes `text` to the terminal: to standard error, where prompts go, if it is a terminal, otherwise to standard input.
    static func terminal(_ text: String) { terminal(Array(text.utf8)) }

    /// Writes bytes to the terminal in the same way.
    static func terminal(_ bytes: [UInt8]) {
        write(bytes, to: isatty(STDERR_FILENO) == 1 ? STDERR_FILENO : STDIN_FILENO)
    }

    /// Writes a line to standard error for each of `warnings`.
    static func warn(_ warnings: [String]) {
        for warning in warnings { standardError("swiftinfer: warning: \(warning)\n") }
    }

    /// Writes `value` as one line of JSON to standard output, with sorted keys and unescaped slashes.
    static func json(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // An infinite number at this point is a defect of this program, but must not end it.
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        write(try [UInt8](encoder.encode(value)) + [UInt8(ascii: "\n")], to: STDOUT_FILENO)
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32) {
        bytes.withUnsafeBytes { buffer in
            var rest = buffer[...]
            while !rest.isEmpty {
                let written = systemWrite(descriptor, UnsafeRawBufferPointer(rebasing: rest))
                if written < 0 {
                    if errno == EINTR { continue }
                    // The disk is full or the terminal is closed. A closed pipe has already ended the program by SIGPIPE.
                    guard descriptor == STDOUT_FILENO else { return }
                    let reason = String(cString: strerror(errno))
                    standardError("swiftinfer: error: cannot write standard output: \(reason)\n")
                    // Not exit(3), because other threads are running.
                    TerminalInput.close()
                    _exit(1)
                }
                rest = rest.dropFirst(written)
            }
        }
    }

    static func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
        #if canImport(Glibc)
        Glibc.write(descriptor, bytes.baseAddress, bytes.count)
        #elseif canImport(Musl)
        Musl.write(descriptor, bytes.baseAddress, bytes.count)
        #elseif canImport(Darwin)
        Darwin.write(descriptor, bytes.baseAddress, bytes.count)
        #endif
    }
}
