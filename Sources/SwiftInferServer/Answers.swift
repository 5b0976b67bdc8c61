// The answers to one request: their events as they come, or all at once. They end when the client goes away.

#if Server

import Hummingbird
import InferSupport
import NIOCore
import SwiftInfer
import Synchronization

/// An event of the answers to a request.
enum AnswerEvent: Sendable {
    /// More of a prompt is evaluated.
    case progress(answer: Int, evaluated: Int, total: Int)
    /// More text, with the tokens that came with it if the options ask for tokens.
    case text(answer: Int, String, tokens: [GeneratedToken])
    /// The end of an answer, with tokens that gave no text.
    case finished(answer: Int, Statistics, tokens: [GeneratedToken])
    /// The end of all answers by an error.
    case failed(InferenceError)
    /// Nothing has come for a while.
    case pause
}

/// The running answers to one request.
struct Answers: Sendable {
    /// The events of all answers. It may be iterated once; leaving it cancels the answers.
    let events: AsyncStream<AnswerEvent>

    /// Begins the answers.
    ///
    /// - Throws: ``APIError`` with 429 if too many requests wait.
    init(
        _ requests: [Scheduler.Request], _ served: ServedModel, _ state: ServerState, _ info: RequestInfo
    ) throws(APIError) {
        var generations: [ScheduledGeneration] = []
        for request in requests {
            do throws(InferenceError) {
                generations.append(try served.scheduler.submit(request))
            } catch {
                for generation in generations { generation.cancel() }
                throw APIError(error)
            }
        }
        let (events, continuation) = AsyncStream<AnswerEvent>.makeStream()
        let started = generations
        let action = state.connections.whenClosed(info.channel) {
            for generation in started { generation.cancel() }
        }
        let running = Shared(started.count)
        let lastEvent = Shared(ContinuousClock.now)
        let tasks = started.enumerated().map { index, generation in
            Task {
                do throws(InferenceError) {
                    try await Self.relay(generation, index, state.metrics) { event in
                        lastEvent.set(.now)
                        continuation.yield(event)
                    }
                } catch {
                    continuation.yield(.failed(error))
                    continuation.finish()
                }
                if running.decrement() == 0 { continuation.finish() }
            }
        }
        let pingTime = state.options.limits.pingTime
        let pings = Task {
            while (try? await Task.sleep(for: pingTime)) != nil {
                if ContinuousClock.now - lastEvent.value >= pingTime { continuation.yield(.pause) }
            }
        }
        continuation.onTermination = { _ in
            pings.cancel()
            for generation in started { generation.cancel() }
            for task in tasks { task.cancel() }
            state.connections.forget(action, of: info.channel)
        }
        self.events = events
    }

    /// Passes the events of one answer on, and notes its times.
    private static func relay(
        _ generation: ScheduledGeneration, _ index: Int, _ metrics: Metrics, _ yield: (AnswerEvent) -> Void
    ) async throws(InferenceError) {
        let start = ContinuousClock.now
        var last: ContinuousClock.Instant?
        var tokens: [GeneratedToken] = []
        for try await event in generation {
            switch event {
            case .progress(let evaluated, let total):
                yield(.progress(answer: index, evaluated: evaluated, total: total))
            case .token(let token): tokens.append(token)
            case .text(let text):
                let now = ContinuousClock.now
                if let last { metrics.noteGap(now - last) } else { metrics.noteFirstToken(now - start) }
                last = now
                yield(.text(answer: index, text, tokens: tokens))
                tokens = []
            case .finished(let statistics):
                metrics.noteQueue(statistics.queueDuration)
                metrics.noteFinish(statistics)
                guard statistics.finishReason != .cancelled else {
                    throw InferenceError(.cancelled, "the server ended the answer")
                }
                yield(.finished(answer: index, statistics, tokens: tokens))
            }
        }
    }

    /// Waits for the end of all answers.
    func all(count: Int) async throws(APIError) -> [Answer] {
        var answers = Array(repeating: Answer(), count: count)
        for await event in events {
            switch event {
            case .progress, .pause: break
            case .text(let index, let text, let tokens):
                answers[index].text += text
                answers[index].tokens += tokens
            case .finished(let index, let statistics, let tokens):
                answers[index].statistics = statistics
                answers[index].tokens += tokens
                answers[index].isFinished = true
            case .failed(let error): throw APIError(error)
            }
        }
        guard answers.allSatisfy(\.isFinished) else { throw .unavailable("the request was cancelled") }
        return answers
    }
}

/// A whole answer.
struct Answer: Sendable {
    var text = ""
    /// The tokens, if the options ask for them.
    var tokens: [GeneratedToken] = []
    var statistics = Statistics()
    fileprivate var isFinished = false
}

/// A value that several tasks change.
private final class Shared<Value: Sendable>: Sendable {
    private let mutex: Mutex<Value>

    init(_ value: Value) { mutex = Mutex(value) }

    var value: Value { mutex.withLock { $0 } }
    func set(_ value: Value) { mutex.withLock { $0 = value } }
}

extension Shared where Value == Int {
    /// Subtracts one and returns the rest.
    func decrement() -> Int {
        mutex.withLock { value in
            value -= 1
            return value
        }
    }
}

#endif
