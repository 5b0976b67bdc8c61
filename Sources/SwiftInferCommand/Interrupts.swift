// What Ctrl-C does.

import Foundation
import InferSupport
import Synchronization

/// Where ``noteSignal(_:)`` writes.
nonisolated(unsafe) private var signalPipe: Int32 = -1

/// Passes the number of a signal on, which is all that can be done while any code may be running.
private func noteSignal(_ number: Int32) {
    let error = errno
    var byte = UInt8(truncatingIfNeeded: number)
    _ = write(signalPipe, &byte, 1)
    errno = error
}

/// Turns SIGINT into an action of the moment: the first one stops what can be stopped, the next one, or one when there is
/// nothing to stop, ends the program with status 130. Other signals that end the program leave the terminal as it was.
final class Interrupts: Sendable {
    /// The process's only one.
    static let shared = Interrupts()
    /// Exit status of an interrupted program, by the shell's convention 128 + SIGINT.
    static let exitStatus: Int32 = 130

    private let action = Mutex<(@Sendable () -> Void)?>(nil)

    private init() {}

    /// Takes over SIGINT and what else would end the program while the terminal is not as it was. Gives SIGPIPE its default
    /// back, so that a closed pipe ends the program quietly, and makes a file larger than `ulimit -f` an error like any other.
    func start() {
        signal(SIGPIPE, SIG_DFL)
        signal(SIGXFSZ, SIG_IGN)
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        // Before the handlers, which write to it: from then on a signal waits in the pipe for whoever reads it.
        signalPipe = ends[1]
        for number in [SIGINT, SIGCONT, SIGTERM, SIGHUP, SIGQUIT] {
            let previous = signal(number, noteSignal)
            // As nohup has it, while shells have SIGINT ignored for whatever runs in the background.
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
                case SIGCONT: TerminalInput.reopen()
                case let number: Self.die(of: number)
                }
            }
        }
    }

    private static func isIgnoring(_ handler: (@convention(c) (Int32) -> Void)?) -> Bool {
        unsafeBitCast(handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
    }

    /// Ends the program as the signal would have without this.
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
