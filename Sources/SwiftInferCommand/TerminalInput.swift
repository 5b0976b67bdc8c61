// How the terminal gives what is typed.

import InferSupport
import Synchronization

/// Standard input as ``LineEditor`` wants it: every byte at once and shown by nobody, so that no line is cut at the 4,095 bytes
/// that a terminal edits, and what is pasted between marks. Ctrl-C and Ctrl-Z stay signals.
enum TerminalInput {
    /// The terminal's own settings while it has others.
    private static let original = Mutex<termios?>(nil)
    private static let marksPastes = "\u{1B}[?2004h"
    private static let marksPastesNoMore = "\u{1B}[?2004l"

    /// Whether the terminal has these settings; otherwise it edits and shows lines itself.
    static var isOpen: Bool { original.withLock { $0 != nil } }

    /// Sets the terminal up, until ``close()`` or the end of the program. What was typed before stays.
    static func open() {
        original.withLock { original in
            var settings = termios()
            guard original == nil, isatty(STDIN_FILENO) == 1, tcgetattr(STDIN_FILENO, &settings) == 0 else { return }
            original = settings
            apply(settings)
        }
        // However the program ends: by exit(3) here, and by a signal in ``Interrupts``.
        atexit { TerminalInput.close() }
    }

    /// Gives the terminal its own settings back.
    static func close() {
        original.withLock { original in
            guard var settings = original else { return }
            original = nil
            if Terminal.canRedraw { Output.terminal(marksPastesNoMore) }
            tcsetattr(STDIN_FILENO, TCSANOW, &settings)
        }
    }

    /// Sets the terminal up again, which others had while the program was stopped.
    static func reopen() {
        original.withLock { if let settings = $0 { apply(settings) } }
    }

    private static func apply(_ original: termios) {
        var settings = original
        settings.c_lflag &= ~tcflag_t(ICANON | ECHO | IEXTEN)
        settings.c_iflag |= tcflag_t(ICRNL)
        withUnsafeMutableBytes(of: &settings.c_cc) { characters in
            characters[Int(VMIN)] = 1
            characters[Int(VTIME)] = 0
        }
        tcsetattr(STDIN_FILENO, TCSANOW, &settings)
        if Terminal.canRedraw { Output.terminal(marksPastes) }
    }
}
