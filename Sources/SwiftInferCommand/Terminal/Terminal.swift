// The terminal: what the standard streams are connected to, and the input mode of a conversation.

import InferSupport
import Synchronization

/// The input mode that ``LineEditor`` needs. The terminal passes on every byte immediately and without echo, because in its own
/// line mode it cuts lines at 4,095 bytes; and it marks pasted text. Ctrl-C and Ctrl-Z remain signals, which do not drop what was typed
/// before.
enum TerminalInput {
    /// The settings to restore; nil while the terminal has them.
    private static let original = Mutex<termios?>(nil)
    private static let marksPastes = "\u{1B}[?2004h"
    private static let marksPastesNoMore = "\u{1B}[?2004l"

    /// Whether the terminal is in this mode. If not, it edits and shows lines itself.
    static var isOpen: Bool { original.withLock { $0 != nil } }

    /// Sets this mode until ``close()`` or the end of the program. Input that was typed before is kept.
    static func open() {
        original.withLock { original in
            var settings = termios()
            guard original == nil, isatty(STDIN_FILENO) == 1, tcgetattr(STDIN_FILENO, &settings) == 0 else { return }
            original = settings
            apply(settings)
        }
        // The mode ends with the program: with exit(3) here, and with a signal in ``Interrupts``.
        atexit { TerminalInput.close() }
    }

    /// Restores the terminal's own settings.
    static func close() {
        original.withLock { original in
            guard var settings = original else { return }
            original = nil
            if Terminal.canRedraw { Output.terminal(marksPastesNoMore) }
            tcsetattr(STDIN_FILENO, TCSANOW, &settings)
        }
    }

    /// Sets the mode again after the program was stopped and continued.
    static func reopen() {
        original.withLock { if let settings = $0 { apply(settings) } }
    }

    private static func apply(_ original: termios) {
        var settings = original
        settings.c_lflag &= ~tcflag_t(ICANON | ECHO | IEXTEN)
        settings.c_lflag |= tcflag_t(NOFLSH)
        // A pasted line break of two bytes must stay one. Ctrl-S would stop the output.
        settings.c_iflag &= ~tcflag_t(ICRNL | INLCR | IGNCR | IXON)
        withUnsafeMutableBytes(of: &settings.c_cc) { characters in
            characters[Int(VMIN)] = 1
            characters[Int(VTIME)] = 0
        }
        tcsetattr(STDIN_FILENO, TCSANOW, &settings)
        if Terminal.canRedraw { Output.terminal(marksPastes) }
    }
}

/// The properties of the terminal, if there is one.
enum Terminal {
    /// Whether standard input is a terminal.
    static var isInputInteractive: Bool { isatty(STDIN_FILENO) == 1 }
    /// Whether standard output is a terminal.
    static var isOutputInteractive: Bool { isatty(STDOUT_FILENO) == 1 }
    /// Whether standard error is a terminal that can redraw a line.
    static var canRedraw: Bool { isatty(STDERR_FILENO) == 1 && !isDumb }
    /// Whether text on standard error may be coloured: a capable terminal without NO_COLOR (no-color.org).
    static var allowsColor: Bool { canRedraw && (environment("NO_COLOR") ?? "").isEmpty }

    /// Whether text on standard output may be coloured.
    static var allowsColorOfOutput: Bool {
        isOutputInteractive && !isDumb && (environment("NO_COLOR") ?? "").isEmpty
    }

    /// Columns of the terminal on standard error; 80 if unknown.
    static var width: Int { size.map { Int($0.ws_col) } ?? 80 }
    /// Rows of that terminal; 24 if unknown.
    static var height: Int { size.map { Int($0.ws_row) } ?? 24 }

    private static var size: winsize? {
        var size = winsize()
        guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else { return nil }
        return size
    }

    /// The value of an environment variable.
    static func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    /// `text` in grey if colours are allowed, unchanged otherwise.
    static func dimmed(_ text: String) -> String { allowsColor ? "\u{1B}[2m\(text)\u{1B}[0m" : text }

    private static var isDumb: Bool { environment("TERM").map { $0 == "dumb" || $0.isEmpty } ?? true }
}
