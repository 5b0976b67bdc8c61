// From the rules of a grammar to one deterministic automaton for each rule that is called.

import InferSupport

/// Compiles rules to automata.
///
/// A rule that is small or referred to once is put in place of the reference. So a part of the grammar without recursion mostly becomes
/// one automaton without calls, and its texts have one reading. Large rules that are used often are called, so that what is computed for
/// their states serves all uses. At least one rule of each recursion is called.
struct RuleCompiler {
    /// The largest rule that is put in place of several references, in states.
    private static let inlinedSize = 16
    /// The largest number of levels of an expression, with the rules in it: it is compiled recursively.
    private static let maximumHeight = 300

    /// A rule that is called.
    struct CalledRule {
        var name: String
        var automaton: Automaton
    }

    /// The rules, and a last one for the whole text, which no rule refers to.
    private let rules: [RuleSet.Rule]
    /// The numbers of the rules that are used, each after those that it refers to. In a recursion, one of them comes first, and is called.
    private var order: [Int] = []
    private var isCalled: [Bool]
    /// The number of references to each rule.
    private var references: [Int]

    /// The called rules of `set`: callers before the rules that they call at their beginnings. The first rule is the whole text.
    ///
    /// - Throws: `invalidArgument` for a rule that calls itself before it takes a byte, and beyond a limit.
    static func compile(_ set: RuleSet, budget: inout CompilationBudget) throws(InferenceError) -> [CalledRule] {
        var compiler = RuleCompiler(set)
        compiler.findOrder()
        let isNullable = try compiler.nullableRules(&budget)
        let inlined = compiler.inlinedRules()
        let context = NondeterministicAutomaton.Context(inlined: inlined, isNullable: isNullable)

        let called = compiler.order.filter { inlined[$0] == nil }
        var numbers = [Int32](repeating: -1, count: compiler.rules.count)
        for (number, rule) in called.enumerated() { numbers[rule] = Int32(number) }
        var automata: [CalledRule] = []
        var stateCount = 0
        for rule in called {
            let (name, body) = (compiler.rules[rule].name, compiler.rules[rule].body)
            var automaton = try Automaton(NondeterministicAutomaton(body, context, budget: &budget), budget: &budget)
            stateCount += automaton.states.count
            try budget.check(states: stateCount)
            automaton.renumberCalls { numbers[Int($0)] }
            automata.append(CalledRule(name: name, automaton: automaton))
        }
        return try sorted(automata)
    }

    private init(_ set: RuleSet) {
        rules = set.rules + [RuleSet.Rule(name: "", body: .rule(0))]
        isCalled = Array(repeating: false, count: rules.count)
        references = Array(repeating: 0, count: rules.count)
    }

    /// Visits all rules depth first.
    private mutating func findOrder() {
        enum Progress { case unknown, open, done }
        var progress = [Progress](repeating: .unknown, count: rules.count)
        let text = rules.count - 1
        var pending: [(rule: Int, references: [Int])] = [(text, targets(of: text))]
        progress[text] = .open
        while let (rule, rest) = pending.last {
            guard let target = rest.last else {
                progress[rule] = .done
                order.append(rule)
                pending.removeLast()
                continue
            }
            pending[pending.count - 1].references.removeLast()
            switch progress[target] {
            case .unknown:
                progress[target] = .open
                pending.append((target, targets(of: target)))
            case .open: isCalled[target] = true
            case .done: break
            }
        }
    }

    /// The rules that `rule` refers to. Counts the references.
    private mutating func targets(of rule: Int) -> [Int] {
        var targets: [Int] = []
        rules[rule].body.forEachLeaf { [rules] leaf, copies in
            guard case .rule(let target) = leaf, rules.indices.contains(target) else { return }
            references[target] = references[target] > .max - copies ? .max : references[target] + copies
            targets.append(target)
        }
        return targets
    }

    /// Whether each rule has the empty text.
    private func nullableRules(_ budget: inout CompilationBudget) throws(InferenceError) -> [Bool] {
        var isNullable = [Bool](repeating: false, count: rules.count)
        var size = order.count
        for rule in order { rules[rule].body.forEachLeaf { _, _ in size += 1 } }
        var changes = true
        while changes {
            try budget.spend(size)
            changes = false
            for rule in order where !isNullable[rule] {
                guard rules[rule].body.isNullable({ isNullable[$0] }) else { continue }
                isNullable[rule] = true
                changes = true
            }
        }
        return isNullable
    }

    /// The rules to put in place of references to them.
    private func inlinedRules() -> [Int: Expression] {
        var inlined: [Int: Expression] = [:]
        var sizes = [Int](repeating: 1, count: rules.count)
        var heights = [Int](repeating: 1, count: rules.count)
        for rule in order.dropLast() where !isCalled[rule] {
            let body = rules[rule].body
            var size = 0
            body.forEachLeaf { leaf, copies in
                let (product, isTooLarge) = leaf.size(sizes).multipliedReportingOverflow(by: copies)
                size = isTooLarge || size > .max - product ? .max : size + product
            }
            let height = body.height { heights[$0] }
            guard height <= Self.maximumHeight, size <= Self.inlinedSize || references[rule] == 1 else { continue }
            inlined[rule] = body
            (sizes[rule], heights[rule]) = (size, height)
        }
        return inlined
    }

    /// Sorts called rules by their calls at the beginning. The last becomes the first.
    private static func sorted(_ rules: [CalledRule]) throws(InferenceError) -> [CalledRule] {
        var callerCounts = [Int](repeating: 0, count: rules.count)
        for rule in rules {
            for call in rule.automaton.states[0].calls { callerCounts[Int(call.rule)] += 1 }
        }
        var order: [Int] = callerCounts.indices.reversed().filter { callerCounts[$0] == 0 }
        var place = 0
        while place < order.count {
            for call in rules[order[place]].automaton.states[0].calls {
                callerCounts[Int(call.rule)] -= 1
                if callerCounts[Int(call.rule)] == 0 { order.append(Int(call.rule)) }
            }
            place += 1
        }
        if order.count < rules.count {
            throw InferenceError(
                .invalidArgument,
                "the rule \"\(recursive(rules, callerCounts).printable)\" refers to itself before it takes a character "
                    + "(left recursion), which is not supported; put the reference behind what it repeats")
        }
        var numbers = [Int32](repeating: 0, count: rules.count)
        for (number, rule) in order.enumerated() { numbers[rule] = Int32(number) }
        return order.map { rule in
            var sorted = rules[rule]
            sorted.automaton.renumberCalls { numbers[Int($0)] }
            return sorted
        }
    }

    /// The name of a rule in a cycle, among those that still have callers.
    private static func recursive(_ rules: [CalledRule], _ callerCounts: [Int]) -> String {
        var callers = [Int](repeating: -1, count: rules.count)
        for (caller, rule) in rules.enumerated() where callerCounts[caller] > 0 {
            for call in rule.automaton.states[0].calls { callers[Int(call.rule)] = caller }
        }
        guard var rule = callerCounts.firstIndex(where: { $0 > 0 }) else { return "" }
        // Going back from caller to caller ends in a cycle.
        for _ in rules.indices where callers[rule] >= 0 { rule = callers[rule] }
        return rules[rule].name
    }
}

extension Expression {
    /// The number of states of a part that is no composition, with `sizes` states for each rule.
    fileprivate func size(_ sizes: [Int]) -> Int {
        switch self {
        case .literal(let bytes): bytes.count
        case .characters(let set): set.ranges.count * 3
        case .automaton(let automaton): automaton.states.count
        case .rule(let rule): sizes[rule]
        default: 1
        }
    }
}

extension Automaton {
    fileprivate mutating func renumberCalls(_ number: (Int32) -> Int32) {
        for state in states.indices {
            for call in states[state].calls.indices {
                states[state].calls[call].rule = number(states[state].calls[call].rule)
            }
        }
    }
}
