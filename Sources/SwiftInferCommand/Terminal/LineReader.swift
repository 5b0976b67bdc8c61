// Reading of texts from the terminal: the line editor in the terminal's mode.

import InferSupport

/// Reads texts that are typed at the terminal. What is typed while nothing is read waits in the terminal.
struct LineReader {
    /// The result of reading.
    enum Input {
        case text(String)
        /// Ctrl-D, or the end of the terminal.
        case end
        /// Ctrl-C with an empty text.
        case interrupted
    }

    /// What other threads tell the reader.
    private enum Notice: UInt8 {
        case interrupt, resize, `continue`
    }

    /// The editor.
    var editor: LineEditor
    /// Bytes that were read and not yet processed.
    private var buffer: ArraySlice<UInt8> = []
    private let notices = Pipe()

    /// The time after which the key Escape is not the beginning of another key.
    private static let escapeMilliseconds: Int32 = 50

    /// A reader of standard input in the mode of ``TerminalInput``.
    init(history: InputHistory) {
        editor = LineEditor(redraws: Terminal.canRedraw, history: history)
        editor.style = Terminal.dimmed
    }

    /// Prompts for a text and waits for it. Ctrl-C drops what was typed.
    mutating func read(prompt: String) -> Input {
        Interrupts.shared.setTerminalAction { [notices] continued in
            notices?.send((continued ? Notice.continue : .resize).rawValue)
        }
        defer {
            Interrupts.shared.setAction(nil)
            Interrupts.shared.setTerminalAction(nil)
        }
        editor.resize(columns: Terminal.width, rows: Terminal.height)
        begin(prompt)
        while true {
            if let event = edit() {
                switch event {
                case .text(let text): return .text(text)
                case .end:
                    drop()
                    return .end
                }
            }
            switch wait() {
            case .bytes(let bytes): buffer += bytes
            case .nothing: editor.timeOut()
            case .end:
                let text = editor.text
                drop()
                return text.isEmpty ? .end : .text(text)
            case .notice(.interrupt):
                buffer = []
                let isEmpty = editor.isEmpty
                drop()
                if isEmpty { return .interrupted }
                begin(prompt)
            case .notice(.resize): editor.resize(columns: Terminal.width, rows: Terminal.height)
            case .notice(.continue): editor.redraw()
            }
        }
    }

    private mutating func begin(_ prompt: String) {
        Interrupts.shared.setAction { [notices] in notices?.send(Notice.interrupt.rawValue) }
        if !Terminal.canRedraw { Output.standardError(prompt) }
        editor.begin(prompt: prompt)
    }

    private mutating func drop() {
        editor.drop()
        show()
    }

    /// Processes the bytes that were read, up to the end of a text, and shows them.
    private mutating func edit() -> LineEditor.Event? {
        defer { show() }
        while let byte = buffer.popFirst() {
            if let event = editor.take(byte) { return event }
        }
        return nil
    }

    private mutating func show() {
        let output = editor.takeOutput()
        if TerminalInput.isOpen, !output.isEmpty { Output.terminal(output) }
    }

    // MARK: Waiting

    private enum Arrival {
        case bytes([UInt8])
        case notice(Notice)
        /// No byte has come within the time of a key.
        case nothing
        case end
    }

    private func wait() -> Arrival {
        while true {
            var descriptors = [pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)]
            if let notices { descriptors.append(pollfd(fd: notices.readEnd, events: Int16(POLLIN), revents: 0)) }
            let count = poll(&descriptors, nfds_t(descriptors.count), editor.isWithinKey ? Self.escapeMilliseconds : -1)
            if count == 0 { return .nothing }
            guard count > 0 else {
                if errno == EINTR { continue }
                return .end
            }
            if descriptors.count > 1, descriptors[1].revents != 0 {
                if let notice = notices?.receive().flatMap(Notice.init) { return .notice(notice) }
                continue
            }
            var bytes = [UInt8](repeating: 0, count: 4096)
            let read = systemRead(STDIN_FILENO, &bytes, bytes.count)
            if read > 0 { return .bytes(Array(bytes[..<read])) }
            if read == 0 || errno != EINTR { return .end }
        }
    }
}

/// A pipe through which the thread that handles signals wakes the reading thread.
private final class Pipe: Sendable {
    let readEnd: Int32
    private let writeEnd: Int32

    init?() {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return nil }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        (readEnd, writeEnd) = (ends[0], ends[1])
    }

    deinit {
        close(readEnd)
        close(writeEnd)
    }

    func send(_ byte: UInt8) {
        var byte = byte
        // Writing one byte into an almost empty pipe does not fail in practice, and nothing could be done about it.
        _ = write(writeEnd, &byte, 1)
    }

    func receive() -> UInt8? {
        var byte: UInt8 = 0
        return systemRead(readEnd, &byte, 1) == 1 ? byte : nil
    }
}

/// read(2). ``LineReader`` has a method with the same name.
private func systemRead(_ descriptor: Int32, _ bytes: UnsafeMutableRawPointer, _ count: Int) -> Int {
    read(descriptor, bytes, count)
}
