// The protocol of drafters, which propose tokens for the model to check in one step.

/// Proposes continuations of a text.
///
/// The engine asks the drafter before each step of the model. It sends the nodes that are worth their time through the model
/// together with the last token, and keeps those that the model would have chosen in any case. A drafter can make a generation
/// faster. It can never change a token or a bit of the logits.
///
/// A session calls its drafter from one thread at a time, between the model's steps. The time that the drafter takes is part of
/// the step. One drafter may serve several generations, one after the other, and may keep what it learned.
public protocol Drafter: AnyObject {
    /// A short name for reports, such as `prompt-lookup`.
    var name: String { get }

    /// The number of top tokens after each checked node that ``observe(_:)`` receives, at most 64. To find them costs about as much
    /// as to choose a token. The default is 0.
    var topTokensWanted: Int { get }

    /// Whether the drafter corrects its values by the outcomes of earlier drafts. If not, the engine corrects them. The default is
    /// false.
    var isCalibrated: Bool { get }

    /// Replaces the text by `tokens`. A generation calls it before its first draft.
    ///
    /// The text often begins like the last one or continues it. To compare the two is cheaper than to start anew.
    func reset(to tokens: [Int32])

    /// Proposes continuations of the text.
    ///
    /// - Parameters:
    ///   - tree: The draft tree to fill. Values decide which nodes are checked, so they should be good estimates of probabilities.
    ///     Unless ``isCalibrated``, the engine corrects them by the outcomes for each tag, depth and value.
    ///   - limit: The largest useful number of nodes: what a step can check and the text has room for. Of more, the engine ignores
    ///     the least probable ones.
    func draft(into tree: inout DraftTree, limit: Int)

    /// Learns how the text went on. Called after each step; ``DraftOutcome/tokens`` are part of the text then.
    func observe(_ outcome: DraftOutcome)
}

extension Drafter {
    /// No top tokens.
    public var topTokensWanted: Int { 0 }

    /// The engine corrects its values.
    public var isCalibrated: Bool { false }
}
