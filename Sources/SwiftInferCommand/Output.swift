// Writing to standard output and standard error, unbuffered and byte for byte.

import Foundation
import InferSupport

/// The two output streams. Every call writes at once, so that text appears as it is generated and in order. Text that cannot
/// be written ends the program with status 1 and a line that says why.
enum Output {
    /// Puts something in the place of standard streams that are closed, or else the next files to be opened would be them. A
    /// device that can only be read makes writing fail, as it would have.
    static func reserveStandardStreams() {
        for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) < 0 {
            // The lowest number that is free is this one.
            _ = open("/dev/null", O_RDONLY)
        }
    }

    /// Writes `text` to standard output.
    static func standardOutput(_ text: String) { write(Array(text.utf8), to: STDOUT_FILENO) }

    /// Writes bytes to standard output.
    static func standardOutput(_ bytes: [UInt8]) { write(bytes, to: STDOUT_FILENO) }

    /// Writes `text` to standard error.
    static func standardError(_ text: String) { write(Array(text.utf8), to: STDERR_FILENO) }

    /// Writes `text` to the terminal that standard input is: by way of standard error, where prompts go, if that is one.
    static func terminal(_ text: String) { terminal(Array(text.utf8)) }

    /// Writes bytes to the terminal likewise.
    static func terminal(_ bytes: [UInt8]) {
        write(bytes, to: isatty(STDERR_FILENO) == 1 ? STDERR_FILENO : STDIN_FILENO)
    }

    /// Writes a line to standard error for each of `warnings`.
    static func warn(_ warnings: [String]) {
        for warning in warnings { standardError("swiftinfer: warning: \(warning)\n") }
    }

    /// Writes `value` as one line of JSON to standard output: keys sorted, slashes as they are.
    static func json(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Only a defect of ours lets an infinite number reach this point; it must not end the program.
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
                    // A full disk or a closed terminal. A closed pipe ends the program by SIGPIPE before this point.
                    guard descriptor == STDOUT_FILENO else { return }
                    let reason = String(cString: strerror(errno))
                    standardError("swiftinfer: error: cannot write standard output: \(reason)\n")
                    // Not exit(3): other threads are at work.
                    TerminalInput.close()
                    _exit(1)
                }
                rest = rest.dropFirst(written)
            }
        }
    }

    private static func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
        #if canImport(Glibc)
            Glibc.write(descriptor, bytes.baseAddress, bytes.count)
        #elseif canImport(Musl)
            Musl.write(descriptor, bytes.baseAddress, bytes.count)
        #elseif canImport(Darwin)
            Darwin.write(descriptor, bytes.baseAddress, bytes.count)
        #endif
    }
}
