// Handling of Ctrl-C and other signals.

import Foundation
import InferSupport
import Synchronization

/// The descriptor that ``noteSignal(_:)`` writes to.
nonisolated(unsafe) private var signalPipe: Int32 = -1

/// The signal handler. It only writes the signal's number into a pipe: a handler interrupts arbitrary code and may do little
/// else.
private func noteSignal(_ number: Int32) {
    let error = errno
    var byte = UInt8(truncatingIfNeeded: number)
    _ = write(signalPipe, &byte, 1)
    errno = error
}

/// Turns SIGINT into an action that commands set. The first SIGINT runs the action; the next one, or one without an action,
/// ends the program with status 130. When another signal ends the program, the terminal's settings are restored.
final class Interrupts: Sendable {
    /// The only instance.
    static let shared = Interrupts()
    /// The exit status of an interrupted program: 128 + SIGINT, the shell's convention.
    static let exitStatus: Int32 = 130

    private let action = Mutex<(@Sendable () -> Void)?>(nil)
    private let terminalAction = Mutex<(@Sendable (_ continued: Bool) -> Void)?>(nil)

    private init() {}

    /// Installs the handlers for SIGINT and for signals that end the program while the terminal's settings are changed. Resets
    /// SIGPIPE, so that a closed pipe ends the program silently. Ignores SIGXFSZ, so that a file larger than `ulimit -f` is an
    /// ordinary error.
    func start() {
        signal(SIGPIPE, SIG_DFL)
        signal(SIGXFSZ, SIG_IGN)
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        // Set before the handlers, which write to it. From then on, signals wait in the pipe until they are read.
        signalPipe = ends[1]
        for number in [SIGINT, SIGCONT, SIGTERM, SIGHUP, SIGQUIT] {
            let previous = signal(number, noteSignal)
            // nohup ignores SIGHUP, and that must stay. SIGINT is taken over even if ignored: shells ignore it for programs in
            // the background.
            if Self.isIgnoring(previous), number != SIGINT { signal(number, SIG_IGN) }
        }
        var interrupt = sigset_t()
        sigemptyset(&interrupt)
        sigaddset(&interrupt, SIGINT)
        pthread_sigmask(SIG_UNBLOCK, &interrupt, nil)
        let readEnd = ends[0]
        Thread.detachNewThread {
            var number: UInt8 = 0
            while true {
                guard read(readEnd, &number, 1) == 1 else { continue }
                switch Int32(number) {
                case SIGINT: self.interrupt()
                case SIGCONT:
                    TerminalInput.reopen()
                    self.terminalAction.withLock { $0 }?(true)
                case SIGWINCH: self.terminalAction.withLock { $0 }?(false)
                case let number: Self.die(of: number)
                }
            }
        }
    }

    private static func isIgnoring(_ handler: (@convention(c) (Int32) -> Void)?) -> Bool {
        unsafeBitCast(handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
    }

    /// Ends the program as the signal does by default.
    private static func die(of number: Int32) {
        TerminalInput.close()
        signal(number, SIG_DFL)
        kill(getpid(), number)
    }

    private func interrupt() {
        let action = action.withLock { action in
            defer { action = nil }
            return action
        }
        guard let action else {
            if Terminal.canRedraw { Output.standardError("\n") }
            TerminalInput.close()
            _exit(Self.exitStatus)
        }
        action()
    }

    /// Runs `work` in a new task, which the first Ctrl-C cancels.
    ///
    /// - Returns: The result, and whether Ctrl-C was pressed.
    func cancelling<R: Sendable>(
        _ work: @escaping @Sendable () async throws -> R
    ) async throws -> (R, interrupted: Bool) {
        // Set the action before the work begins, which can be immediately, on another thread.
        let interruption = Interruption()
        setAction { interruption.happen() }
        defer { setAction(nil) }
        let task = Task { try await work() }
        interruption.cancels { task.cancel() }
        let result = try await task.value
        return (result, interruption.hasHappened)
    }

    /// Sets the action of the next Ctrl-C; nil ends the program.
    func setAction(_ newAction: (@Sendable () -> Void)?) { action.withLock { $0 = newAction } }

    /// Sets what happens when the terminal has another size, or when the program was stopped and continues.
    func setTerminalAction(_ newAction: (@Sendable (_ continued: Bool) -> Void)?) {
        terminalAction.withLock { $0 = newAction }
        if newAction != nil { signal(SIGWINCH, noteSignal) }
    }

    /// A Ctrl-C that can come before the task to cancel exists.
    private final class Interruption: Sendable {
        private let state = Mutex<(hasHappened: Bool, cancel: (@Sendable () -> Void)?)>((false, nil))

        var hasHappened: Bool { state.withLock { $0.hasHappened } }

        func happen() {
            let cancel = state.withLock { state in
                state.hasHappened = true
                return state.cancel
            }
            cancel?()
        }

        func cancels(_ cancel: @escaping @Sendable () -> Void) {
            let hasHappened = state.withLock { state in
                state.cancel = cancel
                return state.hasHappened
            }
            if hasHappened { cancel() }
        }
    }
}
