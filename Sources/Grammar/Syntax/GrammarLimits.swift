// The limits of a grammar. Grammars come with requests and must neither hang nor exhaust memory.

import InferSupport

/// What a grammar may cost.
package struct GrammarLimits: Sendable, Hashable {
    /// The maximum size of the source: bytes of GBNF or of a regular expression.
    package var sourceLength = 1 << 18
    /// The maximum number of rules.
    package var rules = 20_000
    /// The maximum number of states of all automata together.
    package var states = 100_000
    /// The maximum number of elementary steps of the compilation: about a second.
    package var work = 30_000_000
    /// The maximum nesting of rules in a text. Deeper texts are not allowed to go on.
    package var depth = 500
    /// The maximum number of readings of an ambiguous text. Readings beyond are dropped.
    package var readings = 2_000

    /// The limits that suit requests.
    package init() {}
}

/// Counts what a compilation spends.
struct CompilationBudget {
    let limits: GrammarLimits
    private var work = 0

    init(_ limits: GrammarLimits) { self.limits = limits }

    /// Notes elementary steps.
    ///
    /// - Throws: `invalidArgument` beyond the limit.
    mutating func spend(_ steps: Int) throws(InferenceError) {
        work += steps
        guard work <= limits.work else {
            throw InferenceError(
                .invalidArgument,
                "the grammar is too large: compiling it takes more than \(limits.work) steps; "
                    + "smaller counts of repetitions, or fewer alternatives that begin alike, make it smaller")
        }
    }

    /// Checks a number of states.
    ///
    /// - Throws: `invalidArgument` beyond the limit.
    func check(states: Int) throws(InferenceError) {
        guard states <= limits.states else {
            throw InferenceError(
                .invalidArgument,
                "the grammar is too large: its automaton has more than \(limits.states) states; "
                    + "smaller counts of repetitions, or fewer alternatives that begin alike, make it smaller")
        }
    }
}
