// What guesses tokens ahead, for the model to check many of them in one step.

/// Something that guesses how a text goes on.
///
/// The engine asks it before each step of the model, sends the guesses that are likely to pay through the model together with
/// the last token, and keeps of them what the model would have chosen anyway. A drafter can make a generation faster and can
/// never change it: neither a token nor a bit of the logits.
///
/// A session calls its drafter from one thread at a time, between the model's steps; the time spent counts as part of the
/// step. One drafter may serve several generations, one after the other, and may carry over what it learned.
public protocol Drafter: AnyObject {
    /// A short name for reports, such as `prompt-lookup`.
    var name: String { get }

    /// How many of the model's likeliest tokens after each checked one ``observe(_:)`` is to be told, at most 64; finding them
    /// costs about as much as choosing a token. The default is 0.
    var topTokensWanted: Int { get }

    /// Whether it corrects its values by what became of earlier guesses. Then they are taken as they are, otherwise the engine
    /// corrects them. The default is false.
    var isCalibrated: Bool { get }

    /// Takes `tokens` as the text from now on. Called when a generation begins, before anything is drafted for it.
    ///
    /// The text often begins like the one before, or continues it: comparing the two is cheaper than building anew.
    func reset(to tokens: [Int32])

    /// Guesses how the text goes on.
    ///
    /// - Parameters:
    ///   - tree: Where to put the guesses. Values decide which of them are checked, so they should be honest probabilities;
    ///     unless ``isCalibrated``, the engine corrects them by what it observes for each ``DraftTree/tags`` number, depth and value.
    ///   - limit: Most nodes that are of use: what a step can check or the text still has room for. More are ignored, the least
    ///     likely first.
    func draft(into tree: inout DraftTree, limit: Int)

    /// Learns how the text went on. Called after each step; what is in ``DraftOutcome/tokens`` is part of the text then.
    func observe(_ outcome: DraftOutcome)
}

extension Drafter {
    /// None.
    public var topTokensWanted: Int { 0 }

    /// The engine corrects its values.
    public var isCalibrated: Bool { false }
}
