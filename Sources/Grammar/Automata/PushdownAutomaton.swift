// The automaton that matches texts: the states of all rules in flat tables.

import InferSupport

/// A pushdown automaton over bytes. Each of its states belongs to a rule. A state has edges that take a byte, and calls, after which the
/// automaton goes on in another state. It never changes, and serves any number of texts at once.
///
/// Every state can reach the end of its rule, and no call is made that could not be completed within the limit of the nesting. So a text
/// that is allowed so far can always be completed.
package final class PushdownAutomaton: Sendable {
    struct Flags: OptionSet {
        let rawValue: UInt8
        /// A text of the rule can end here.
        static let accepting = Flags(rawValue: 1)
        /// Rules are called here.
        static let calling = Flags(rawValue: 2)
        /// Bytes are taken here, without a call.
        static let taking = Flags(rawValue: 4)
    }

    /// The largest number of entries of the table of edges.
    private static let maximumTableSize = 1 << 24

    /// The class of each byte. The automaton treats bytes of one class alike.
    let byteClasses: [UInt8]
    /// The number of classes.
    let classCount: Int
    /// The state after each state and class of bytes; −1 if there is none.
    let edges: [Int32]
    /// By state.
    let flags: [Flags]
    /// By state, the least nesting of calls on a way to the end of its rule.
    let nesting: [Int32]
    /// The largest of these.
    let maximumNesting: Int
    /// By state, where its calls begin in `calls`, and an end.
    private let callStarts: [Int32]
    private let calls: [Automaton.Call]
    /// The first state of each rule. A rule has a greater number than those that call it at their beginnings. Rule 0 is the whole text.
    let ruleStarts: [Int32]
    /// By state, the bytes that can follow a text of its rule.
    private let followingBytes: [ByteSet]
    private let rulesOfStates: [Int32]
    let limits: GrammarLimits

    /// The automaton of a grammar.
    ///
    /// - Throws: `invalidArgument` for a grammar that allows no text or is left-recursive, and beyond a limit.
    init(_ rules: RuleSet, budget: inout CompilationBudget) throws(InferenceError) {
        let parts = try PushdownParts(try RuleCompiler.compile(rules, budget: &budget), &budget)
        guard parts.isAlive(0) else { throw InferenceError(.invalidArgument, "the grammar allows no text") }
        limits = budget.limits
        guard Int(parts.nesting[Int(parts.starts[0])]) < limits.depth else {
            throw InferenceError(
                .invalidArgument, "every text of the grammar nests its rules more than \(limits.depth) times")
        }
        let numbers = parts.numbers
        let classes = ByteClasses(parts.states.lazy.flatMap { $0.edges.lazy.map(\.bytes) })
        (byteClasses, classCount) = (classes.numbers, classes.sets.count)
        guard parts.aliveCount * classCount <= Self.maximumTableSize else {
            throw InferenceError(
                .invalidArgument,
                "the grammar is too large: \(parts.aliveCount) states that distinguish \(classCount) classes of bytes")
        }
        var edges: [Int32] = []
        edges.reserveCapacity(parts.aliveCount * classCount)
        var (flags, callStarts, calls, rulesOfStates): ([Flags], [Int32], [Automaton.Call], [Int32]) = ([], [], [], [])
        nesting = parts.nesting.filter { $0 >= 0 }
        maximumNesting = Int(nesting.max() ?? 0)
        for (old, state) in parts.states.enumerated() where parts.isAlive(Int32(old)) {
            var row = [Int32](repeating: -1, count: classCount)
            for edge in state.edges where parts.isAlive(edge.target) {
                for (number, set) in classes.sets.enumerated() {
                    if let byte = set.first, edge.bytes.contains(byte) { row[number] = numbers[Int(edge.target)] }
                }
            }
            var flag: Flags = state.isAccepting ? .accepting : []
            if row.contains(where: { $0 >= 0 }) { flag.insert(.taking) }
            edges += row
            callStarts.append(Int32(calls.count))
            for call in state.calls where parts.isUseful(call) {
                calls.append(Automaton.Call(rule: call.rule, target: numbers[Int(call.target)]))
            }
            if calls.count > Int(callStarts[callStarts.count - 1]) { flag.insert(.calling) }
            flags.append(flag)
            rulesOfStates.append(parts.rulesOfStates[old])
        }
        callStarts.append(Int32(calls.count))
        (self.edges, self.flags, self.callStarts, self.calls) = (edges, flags, callStarts, calls)
        (self.rulesOfStates, followingBytes) = (rulesOfStates, try parts.followingBytes(&budget))
        ruleStarts = parts.starts.map { numbers[Int($0)] }
    }

    /// The number of states.
    var stateCount: Int { flags.count }

    /// The state after `state` and `byte`; negative if there is none.
    func next(_ state: Int32, _ byte: UInt8) -> Int32 {
        edges[Int(state) * classCount + Int(byteClasses[Int(byte)])]
    }

    /// The calls of `state`.
    func calls(of state: Int32) -> ArraySlice<Automaton.Call> {
        calls[Int(callStarts[Int(state)])..<Int(callStarts[Int(state) + 1])]
    }

    /// The bytes that can follow a text of the rule that `state` belongs to.
    func followingBytes(of state: Int32) -> ByteSet { followingBytes[Int(rulesOfStates[Int(state)])] }
}

/// The states of all rules with one numbering, and what is found out about them.
private struct PushdownParts {
    private(set) var states: [Automaton.State] = []
    private(set) var rulesOfStates: [Int32] = []
    /// By rule, its first state.
    private(set) var starts: [Int32] = []
    /// By state, the least nesting of calls on a way to the end of its rule; −1 if no way leads there.
    private(set) var nesting: [Int32] = []

    init(_ rules: [RuleCompiler.CalledRule], _ budget: inout CompilationBudget) throws(InferenceError) {
        for (number, rule) in rules.enumerated() {
            let first = Int32(states.count)
            starts.append(first)
            for var state in rule.automaton.states {
                for edge in state.edges.indices { state.edges[edge].target += first }
                for call in state.calls.indices { state.calls[call].target += first }
                states.append(state)
                rulesOfStates.append(Int32(number))
            }
        }
        try findNesting(&budget)
    }

    /// Whether the end of its rule can be reached from a state.
    func isAlive(_ state: Int32) -> Bool { nesting[Int(state)] >= 0 }

    /// The number of states that are kept.
    var aliveCount: Int { nesting.count { $0 >= 0 } }

    /// The numbers of the states when those that are not alive are left out.
    var numbers: [Int32] {
        var next: Int32 = -1
        return nesting.map { nesting in
            if nesting >= 0 { next += 1 }
            return nesting >= 0 ? next : -1
        }
    }

    /// Whether a call can be completed.
    func isUseful(_ call: Automaton.Call) -> Bool { isAlive(call.target) && isAlive(starts[Int(call.rule)]) }

    /// Goes backwards from the states that accept: first along ways without calls, then along those with one level of calls, and so on.
    private mutating func findNesting(_ budget: inout CompilationBudget) throws(InferenceError) {
        nesting = Array(repeating: -1, count: states.count)
        var sources = [[Int32]](repeating: [], count: states.count)
        var callSources = [[(source: Int32, rule: Int32)]](repeating: [], count: states.count)
        var callers = [[(source: Int32, target: Int32)]](repeating: [], count: starts.count)
        for (number, state) in states.enumerated() {
            try budget.spend(state.edges.count + state.calls.count)
            for edge in state.edges { sources[Int(edge.target)].append(Int32(number)) }
            for call in state.calls {
                callSources[Int(call.target)].append((Int32(number), call.rule))
                callers[Int(call.rule)].append((Int32(number), call.target))
            }
        }
        var level: Int32 = 0
        var current = states.indices.filter { states[$0].isAccepting }.map { Int32($0) }
        while !current.isEmpty {
            var next: [Int32] = []
            while let state = current.popLast() {
                guard nesting[Int(state)] < 0 else { continue }
                nesting[Int(state)] = level
                current += sources[Int(state)]
                for (source, rule) in callSources[Int(state)] {
                    let inner = nesting[Int(starts[Int(rule)])]
                    if inner == level { next.append(source) } else if inner >= 0 { current.append(source) }
                }
                let rule = Int(rulesOfStates[Int(state)])
                guard starts[rule] == state else { continue }
                for (source, target) in callers[rule] where nesting[Int(target)] >= 0 { next.append(source) }
            }
            current = next
            level += 1
        }
    }

    /// By rule, the bytes that can follow its texts.
    func followingBytes(_ budget: inout CompilationBudget) throws(InferenceError) -> [ByteSet] {
        var firstBytes = [ByteSet](repeating: ByteSet(), count: starts.count)
        func bytes(from state: Int32) -> ByteSet {
            var bytes = ByteSet()
            for edge in states[Int(state)].edges where isAlive(edge.target) { bytes.formUnion(edge.bytes) }
            for call in states[Int(state)].calls where isUseful(call) { bytes.formUnion(firstBytes[Int(call.rule)]) }
            return bytes
        }
        // Rules come before those that they call at their beginnings.
        for rule in starts.indices.reversed() { firstBytes[rule] = bytes(from: starts[rule]) }

        var following = [ByteSet](repeating: ByteSet(), count: starts.count)
        var endings: [(rule: Int, caller: Int)] = []
        for (number, state) in states.enumerated() where isAlive(Int32(number)) {
            for call in state.calls where isUseful(call) {
                following[Int(call.rule)].formUnion(bytes(from: call.target))
                if states[Int(call.target)].isAccepting {
                    endings.append((Int(call.rule), Int(rulesOfStates[number])))
                }
            }
        }
        var changes = true
        while changes {
            try budget.spend(endings.count)
            changes = false
            for (rule, caller) in endings {
                let before = following[rule]
                following[rule].formUnion(following[caller])
                changes = changes || before != following[rule]
            }
        }
        return following
    }
}
