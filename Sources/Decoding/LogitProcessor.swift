// Changes of logits by the caller.

/// Changes the logits from which tokens are chosen: forbids tokens, or makes them more or less probable.
///
/// **Exactness.** A processor is a pure function: the same logits after the same tokens are always changed in the same way, on any thread,
/// whatever came before. It keeps no state between calls; all that it may know is in the tokens. So each row is changed by the tokens of
/// its own path, and answers have the same bytes with and without drafting, alone and in a scheduler.
///
/// A processor that only forbids tokens says so by ``onlyMasks`` and ``allows(_:after:)`` alone:
///
/// ```swift
/// struct WithoutRepetition: LogitProcessor {
///     let onlyMasks = true
///     func allows(_ token: TokenID, after tokens: [TokenID]) -> Bool { token != tokens.last }
/// }
/// ```
///
/// Options with equal processors are equal.
public protocol LogitProcessor: Hashable, Sendable {
    /// Changes the logits of the next token. A token whose logit is −∞ or NaN is never chosen.
    ///
    /// The default sets the logits of tokens that ``allows(_:after:)`` refuses to −∞, and asks for each token of the vocabulary.
    ///
    /// - Parameters:
    ///   - logits: One value per token of the vocabulary.
    ///   - tokens: All tokens before: those of the prompt, and of the answer so far.
    func process(_ logits: inout MutableSpan<Float>, after tokens: [Int32])

    /// Whether `token` can be chosen after `tokens`. If not, ``process(_:after:)`` sets its logit to −∞. Drafts of refused tokens are not
    /// checked, which saves time and changes nothing. The default is true.
    func allows(_ token: Int32, after tokens: [Int32]) -> Bool

    /// Whether ``process(_:after:)`` does nothing but what ``allows(_:after:)`` says. Then whole rows are seldom needed. The default is
    /// false.
    var onlyMasks: Bool { get }
}

extension LogitProcessor {
    /// Sets the logits of tokens that ``allows(_:after:)`` refuses to −∞.
    public func process(_ logits: inout MutableSpan<Float>, after tokens: [Int32]) {
        for index in logits.indices where !allows(Int32(truncatingIfNeeded: index), after: tokens) {
            logits[index] = -.infinity
        }
    }

    /// True.
    public func allows(_ token: Int32, after tokens: [Int32]) -> Bool { true }

    /// False.
    public var onlyMasks: Bool { false }

    fileprivate func isEqual(to other: any LogitProcessor) -> Bool { (other as? Self) == self }
}

/// The processors of a generation, in their order.
package struct LogitProcessors: Hashable, Sendable {
    package var list: [any LogitProcessor] = []

    /// No processors.
    package init() {}

    package var isEmpty: Bool { list.isEmpty }

    /// Whether all of them only forbid tokens.
    package var onlyMask: Bool { list.allSatisfy(\.onlyMasks) }

    /// Whether all of them allow `token` after `tokens`.
    package func allow(_ token: Int32, after tokens: [Int32]) -> Bool {
        list.allSatisfy { $0.allows(token, after: tokens) }
    }

    /// `logits` after all of them.
    package func process(_ logits: UnsafeBufferPointer<Float>, after tokens: [Int32]) -> [Float] {
        var row = Array(logits)
        for processor in list {
            var span = row.mutableSpan
            processor.process(&span, after: tokens)
        }
        return row
    }

    package static func == (one: LogitProcessors, other: LogitProcessors) -> Bool {
        one.list.count == other.list.count && zip(one.list, other.list).allSatisfy { $0.isEqual(to: $1) }
    }

    package func hash(into hasher: inout Hasher) {
        for processor in list { processor.hash(into: &hasher) }
    }
}
