// Input text from the command line, from a file or from standard input.

import ArgumentParser
import InferSupport

/// Reads the input of a command as bytes.
enum InputText {
    /// The most bytes of a prompt or another text: far more than a context holds. Bounds input without an end.
    static let largestText = 64 << 20
    /// The most bytes of a file with a record on each line.
    static let largestList = 1 << 30

    /// The text from an argument, from `-f` or from a pipe on standard input; nil if there is none of these. If there are an
    /// argument and a pipe, the text from the pipe comes first, on separate lines.
    static func given(argument: String?, file path: String?) throws -> [UInt8]? {
        switch (argument, path) {
        case (.some, .some): throw ValidationError("Give the text as an argument or with -f, not both.")
        case (nil, let path?): return try file(path)
        case (nil, nil): return Terminal.isInputInteractive ? nil : try standardInput()
        case (let text?, nil):
            var piped = Terminal.isInputInteractive ? [] : try standardInput()
            if let last = piped.last, last != UInt8(ascii: "\n") { piped.append(UInt8(ascii: "\n")) }
            return piped + Array(text.utf8)
        }
    }

    /// The contents of the file at `path`, which can be a pipe or a device such as /dev/stdin; `-` is standard input.
    ///
    /// - Throws: ``InferenceError``: `unreadableFile`, or `invalidArgument` for more than `limit` bytes.
    static func file(_ path: String, limit: Int = largestText) throws(InferenceError) -> [UInt8] {
        if path == "-" { return try standardInput(limit: limit) }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(path) }
        defer { close(descriptor) }
        return try contents(of: descriptor, named: path, limit: limit)
    }

    /// The contents of standard input.
    static func standardInput(limit: Int = largestText) throws(InferenceError) -> [UInt8] {
        explainWaiting()
        return try contents(of: STDIN_FILENO, named: "standard input", limit: limit)
    }

    /// If there is no input for two seconds, says on standard error what the program waits for: an inherited pipe can stay open
    /// forever.
    private static func explainWaiting() {
        var input = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
        guard !Terminal.isInputInteractive, poll(&input, 1, 2000) == 0 else { return }
        Output.standardError("swiftinfer: waiting for the end of standard input, which </dev/null leaves out\n")
    }

    private static func contents(
        of descriptor: Int32, named name: String, limit: Int
    ) throws(InferenceError) -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count == 0 { return bytes }
            if count > 0 {
                guard bytes.count + count <= limit else {
                    throw InferenceError(
                        .invalidArgument, "\(name) has more than \(limit >> 20) MiB, the most that is read")
                }
                bytes.append(contentsOf: buffer[..<count])
            } else if errno != EINTR {
                throw failure(name)
            }
        }
    }

    private static func failure(_ name: String) -> InferenceError {
        InferenceError(.unreadableFile, "cannot read \(name): \(String(cString: strerror(errno)))")
    }
}
