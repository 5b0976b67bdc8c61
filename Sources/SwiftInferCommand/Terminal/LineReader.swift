// Reading of texts from the terminal, with Ctrl-C as a separate result.

import InferSupport

/// Reads texts that are typed at the terminal.
struct LineReader {
    /// The result of reading.
    enum Input {
        case text(String)
        /// Ctrl-C in a text of several lines. The text is dropped.
        case abandoned
        /// Ctrl-D, or the end of the terminal.
        case end
    }

    private enum Line {
        case text(String)
        case interrupted
        case end
    }

    /// Bytes that were read and not yet processed.
    private var buffer: ArraySlice<UInt8> = []
    private var editor = LineEditor(promptColumns: 2, redraws: Terminal.canRedraw)
    private let interrupts: Pipe?

    /// A reader of standard input in the mode of ``TerminalInput``.
    init() { interrupts = Pipe() }

    /// Prompts for a text and waits for it. A backslash at the end of a line continues the text on the next line. Ctrl-C ends
    /// the program at the first line and drops the text at a later line.
    mutating func read() -> Input {
        var text = ""
        Output.standardError("> ")
        defer { Interrupts.shared.setAction(nil) }
        while true {
            switch nextLine() {
            case .text(let line) where line.hasSuffix("\\"):
                text += line.dropLast() + "\n"
                Interrupts.shared.setAction { [interrupts] in interrupts?.signal() }
                Output.standardError(". ")
            case .text(let line):
                return .text(text + line)
            case .interrupted:
                Output.standardError("\n")
                return .abandoned
            case .end:
                Output.standardError("\n")
                return .end
            }
        }
    }

    private mutating func nextLine() -> Line {
        while true {
            if let event = edit() {
                switch event {
                case .text(let text): return .text(text)
                case .end: return .end
                }
            }
            var descriptors = [pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)]
            if let interrupts { descriptors.append(pollfd(fd: interrupts.readEnd, events: Int16(POLLIN), revents: 0)) }
            guard poll(&descriptors, nfds_t(descriptors.count), -1) > 0 else {
                if errno == EINTR { continue }
                return .end
            }
            if descriptors.count > 1, descriptors[1].revents != 0 {
                interrupts?.drain()
                buffer = []
                _ = editor.finish()
                return .interrupted
            }
            var bytes = [UInt8](repeating: 0, count: 4096)
            let count = systemRead(STDIN_FILENO, &bytes, bytes.count)
            if count > 0 {
                buffer += bytes[..<count]
            } else if count == 0 || errno != EINTR {
                return editor.isEmpty ? .end : .text(editor.finish())
            }
        }
    }

    /// Processes the bytes that were read, up to the end of a text, and shows them.
    private mutating func edit() -> LineEditor.Event? {
        editor.columns = Terminal.width
        defer {
            let output = editor.takeOutput()
            if TerminalInput.isOpen { Output.terminal(output) }
        }
        while let byte = buffer.popFirst() {
            if let event = editor.take(byte) { return event }
        }
        return nil
    }
}

/// A pipe through which the thread that handles signals wakes the reading thread.
private final class Pipe: Sendable {
    let readEnd: Int32
    private let writeEnd: Int32

    init?() {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return nil }
        (readEnd, writeEnd) = (ends[0], ends[1])
    }

    deinit {
        close(readEnd)
        close(writeEnd)
    }

    func signal() {
        var byte: UInt8 = 0
        // Writing one byte into an empty pipe does not fail in practice, and nothing could be done about it.
        _ = write(writeEnd, &byte, 1)
    }

    func drain() {
        var byte: UInt8 = 0
        _ = systemRead(readEnd, &byte, 1)
    }
}

/// read(2). ``LineReader`` has a method with the same name.
private func systemRead(_ descriptor: Int32, _ bytes: UnsafeMutableRawPointer, _ count: Int) -> Int {
    read(descriptor, bytes, count)
}
