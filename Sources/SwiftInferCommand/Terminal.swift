// What the standard streams are connected to.

import InferSupport

/// Facts about the terminal, when there is one.
enum Terminal {
    /// Whether standard input is a terminal.
    static var isInputInteractive: Bool { isatty(STDIN_FILENO) == 1 }
    /// Whether standard output is a terminal.
    static var isOutputInteractive: Bool { isatty(STDOUT_FILENO) == 1 }
    /// Whether standard error is a terminal that can redraw a line.
    static var canRedraw: Bool { isatty(STDERR_FILENO) == 1 && !isDumb }
    /// Whether standard error may be coloured: a capable terminal, and no NO_COLOR (no-color.org).
    static var allowsColor: Bool { canRedraw && (environment("NO_COLOR") ?? "").isEmpty }

    /// Columns of the terminal on standard error, 80 when that is unknown.
    static var width: Int {
        var size = winsize()
        guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    /// The value of an environment variable.
    static func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    /// `text` in grey where colours are allowed, as it is elsewhere.
    static func dimmed(_ text: String) -> String { allowsColor ? "\u{1B}[2m\(text)\u{1B}[0m" : text }

    private static var isDumb: Bool { environment("TERM").map { $0 == "dumb" || $0.isEmpty } ?? true }
}
