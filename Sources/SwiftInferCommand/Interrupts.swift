// What Ctrl-C does.

import Foundation
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Turns SIGINT into an action of the moment: the first one stops what can be stopped, the next one, or one when there is
/// nothing to stop, ends the program with status 130. Other signals that end the program leave the terminal as it was.
final class Interrupts: Sendable {
    /// The process's only one.
    static let shared = Interrupts()
    /// Exit status of an interrupted program, by the shell's convention 128 + SIGINT.
    static let exitStatus: Int32 = 130

    private let action = Mutex<(@Sendable () -> Void)?>(nil)
    private init() {}

    /// Takes over SIGINT, gives SIGPIPE its default back, so that a closed pipe ends the program quietly, and makes a file that is
    /// larger than the shell allows an error like any other. To be called while there is one thread alone.
    func start() {
        // A blocked signal waits for the thread that asks for it, and is lost at no moment: not before that thread runs, nor
        // where the parent had it ignored. Threads take over what is blocked from the one that starts them.
        var signals = sigset_t()
        sigemptyset(&signals)
        for number in [SIGINT, SIGCONT] + Self.deadly where number == SIGINT || !Self.isIgnored(number) {
            sigaddset(&signals, number)
        }
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        signal(SIGINT, SIG_DFL)
        signal(SIGPIPE, SIG_DFL)
        signal(SIGXFSZ, SIG_IGN)
        Thread.detachNewThread { [signals] in
            var signals = signals
            while true {
                var number: Int32 = 0
                guard sigwait(&signals, &number) == 0 else { continue }
                switch number {
                case SIGINT: self.interrupt()
                case SIGCONT: TerminalInput.reopen()
                default: Self.die(of: number)
                }
            }
        }
    }

    /// Signals that end the program, as they would without this.
    private static let deadly = [SIGTERM, SIGHUP, SIGQUIT]

    /// Whether the parent had a signal ignored, as nohup does with SIGHUP.
    private static func isIgnored(_ number: Int32) -> Bool {
        let handler = signal(number, SIG_DFL)
        signal(number, handler)
        return unsafeBitCast(handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
    }

    private static func die(of number: Int32) {
        TerminalInput.close()
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, number)
        signal(number, SIG_DFL)
        raise(number)
        pthread_sigmask(SIG_UNBLOCK, &signals, nil)
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

    /// Runs `work` in a task of its own that the first Ctrl-C cancels.
    ///
    /// - Returns: the result, and whether there was a Ctrl-C.
    func cancelling<R: Sendable>(
        _ work: @escaping @Sendable () async throws -> R
    ) async throws -> (R, interrupted: Bool) {
        // In force before the work begins, which may be at once, on another thread.
        let interruption = Interruption()
        setAction { interruption.happen() }
        defer { setAction(nil) }
        let task = Task { try await work() }
        interruption.cancels { task.cancel() }
        let result = try await task.value
        return (result, interruption.hasHappened)
    }

    /// Sets what the next Ctrl-C does; nil: it ends the program.
    func setAction(_ newAction: (@Sendable () -> Void)?) { action.withLock { $0 = newAction } }

    /// A Ctrl-C that may come before it is known what it cancels.
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
