// A running answer, computed as it is asked for.

public import InferSupport

/// The answer to a prompt as a sequence of events.
///
/// It is pull-based: all work happens inside the iterator's `next()`. A loop that is left, or a task that is cancelled,
/// leaves nothing running behind, and its session ends at the last accepted token, ready for the next generation.
/// Each iteration generates anew.
public struct Generation: Sendable {
    /// Something that happened during a generation.
    public enum Event: Sendable {
        /// Another part of the prompt is evaluated: so many tokens of so many, reused ones included.
        case progress(evaluated: Int, of: Int)
        /// More text: whole Unicode scalars, never part of a stop string.
        case text(String)
        /// The end, exactly once.
        case finished(Statistics)
    }

    let session: Session
    let prompt: Prompt
    let options: GenerationOptions

    /// Runs to the end and gives the whole text.
    public func text() async throws(InferenceError) -> String { try await response().text }

    /// Runs to the end and gives text and statistics.
    public func response() async throws(InferenceError) -> Response {
        var text = ""
        var statistics = Statistics()
        for try await event in self {
            switch event {
            case .progress: break
            case .text(let piece): text += piece
            case .finished(let final): statistics = final
            }
        }
        return Response(text: text, statistics: statistics)
    }
}
