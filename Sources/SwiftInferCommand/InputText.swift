// Text that comes from the command line, from a file or from standard input.

import ArgumentParser
import InferSupport

/// Reading a command's input, byte for byte.
enum InputText {
    /// Most bytes of a prompt or another text: far more than a context holds, and an end to input that has none.
    static let largestText = 64 << 20
    /// Most bytes of a file with a record on each line.
    static let largestList = 1 << 30

    /// The text given as an argument, by `-f` or by a pipe on standard input; nil when there is none of these. What comes by a
    /// pipe beside an argument goes before it, on lines of its own.
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

    /// The whole of the file at `path`, which may be a pipe or a device such as /dev/stdin; `-` is standard input. More than
    /// `limit` bytes are an error.
    static func file(_ path: String, limit: Int = largestText) throws(InferenceError) -> [UInt8] {
        if path == "-" { return try standardInput(limit: limit) }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(path) }
        defer { close(descriptor) }
        return try contents(of: descriptor, named: path, limit: limit)
    }

    /// Everything on standard input.
    static func standardInput(limit: Int = largestText) throws(InferenceError) -> [UInt8] {
        explainWaiting()
        return try contents(of: STDIN_FILENO, named: "standard input", limit: limit)
    }

    /// Says what it waits for when nothing comes: a pipe that was inherited may stay open for ever.
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
