// Text that comes from the command line, from a file or from standard input.

import ArgumentParser
import GGUF

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Reading a command's input, byte for byte.
enum InputText {
    /// The text given as an argument, by `-f` or by a pipe on standard input; nil when there is none of these.
    static func given(argument: String?, file path: String?) throws -> [UInt8]? {
        switch (argument, path) {
        case (.some, .some): throw ValidationError("Give the text as an argument or with -f, not both.")
        case (let text?, nil): return Array(text.utf8)
        case (nil, let path?): return try file(path)
        case (nil, nil): return Terminal.isInputInteractive ? nil : try standardInput()
        }
    }

    /// The whole of the file at `path`, which may be a pipe or a device such as /dev/stdin; `-` is standard input.
    static func file(_ path: String) throws(InferenceError) -> [UInt8] {
        if path == "-" { return try standardInput() }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(path) }
        defer { close(descriptor) }
        return try contents(of: descriptor, named: path)
    }

    /// Everything on standard input.
    static func standardInput() throws(InferenceError) -> [UInt8] {
        try contents(of: STDIN_FILENO, named: "standard input")
    }

    private static func contents(of descriptor: Int32, named name: String) throws(InferenceError) -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count == 0 { return bytes }
            if count > 0 {
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
