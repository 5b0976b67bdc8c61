// Nondeterministic automata, which expressions are turned into first.

import InferSupport

/// A nondeterministic automaton over bytes. Its edges also call rules, and take nothing.
///
/// Thompson's construction (K. Thompson, "Regular expression search algorithm", 1968): an expression becomes a part between two given
/// states. No part has edges into its first state or out of its last, so parts can share these.
struct NondeterministicAutomaton {
    enum Label: Hashable {
        /// Takes nothing.
        case nothing
        /// Takes a byte of the set with this number.
        case bytes(Int32)
        /// Takes a text of this rule.
        case call(Int32)
        /// Takes nothing, at the beginning of the text only.
        case beginning
        /// Takes nothing, at the end of the text only.
        case end
    }

    struct Edge {
        var source: Int32
        var target: Int32
        var label: Label
    }

    private(set) var edges: [Edge] = []
    private(set) var stateCount: Int32 = 0
    /// The sets of bytes on the edges, each once.
    private(set) var byteSets: [ByteSet] = []
    private var byteSetNumbers: [ByteSet: Int32] = [:]

    private(set) var start: Int32 = 0
    private(set) var accept: Int32 = 0

    private init() {}

    mutating func addState() -> Int32 {
        stateCount += 1
        return stateCount - 1
    }

    mutating func connect(_ source: Int32, to target: Int32, _ label: Label = .nothing) {
        edges.append(Edge(source: source, target: target, label: label))
    }

    mutating func connect(_ source: Int32, to target: Int32, _ bytes: ByteSet) {
        let next = Int32(byteSets.count)
        let number = byteSetNumbers[bytes] ?? next
        if number == next {
            byteSets.append(bytes)
            byteSetNumbers[bytes] = number
        }
        connect(source, to: target, .bytes(number))
    }
}

// MARK: Expressions

extension NondeterministicAutomaton {
    /// What the construction needs to know of the rules.
    struct Context {
        /// The rules' bodies that are put where the rule is referred to, instead of a call.
        var inlined: [Int: Expression] = [:]
        /// Whether each rule has the empty text. Without rules, empty.
        var isNullable: [Bool] = []
        /// How characters are written.
        var encoding = CharacterEncoding.utf8
    }

    /// The automaton of an expression.
    init(
        _ expression: Expression, _ context: Context, budget: inout CompilationBudget
    ) throws(InferenceError) {
        start = addState()
        accept = addState()
        try add(expression, start, accept, context, &budget)
        if edges.contains(where: { $0.label == .beginning || $0.label == .end }) { self = resolvingAssertions() }
    }

    private mutating func add(
        _ expression: Expression, _ from: Int32, _ to: Int32, _ context: Context, _ budget: inout CompilationBudget
    ) throws(InferenceError) {
        try budget.spend(8)
        switch expression {
        case .literal(let bytes):
            try add(path: bytes.map { ByteSet($0) }, from, to, &budget)
        case .bytes(let set):
            if !set.isEmpty { connect(from, to: to, set) }
        case .characters(let set):
            try add(set, from, to, context.encoding, &budget)
        case .automaton(let automaton):
            try add(automaton, from, to, &budget)
        case .network(let network):
            try add(network, from, to, context, &budget)
        case .sequence(let parts):
            var state = from
            for (index, part) in parts.enumerated() {
                let next = index + 1 < parts.count ? addState() : to
                try add(part, state, next, context, &budget)
                state = next
            }
            if parts.isEmpty { connect(from, to: to) }
        case .choice(let parts):
            for part in parts { try add(part, from, to, context, &budget) }
        case .repetition(let body, let minimum, let maximum):
            try add(body, minimum, maximum, from, to, context, &budget)
        case .rule(let rule):
            if let body = context.inlined[rule] {
                try add(body, from, to, context, &budget)
            } else {
                connect(from, to: to, .call(Int32(rule)))
                if context.isNullable[rule] { connect(from, to: to) }
            }
        case .beginning: connect(from, to: to, .beginning)
        case .end: connect(from, to: to, .end)
        }
    }

    private mutating func add(
        _ body: Expression, _ minimum: Int, _ maximum: Int?, _ from: Int32, _ to: Int32, _ context: Context,
        _ budget: inout CompilationBudget
    ) throws(InferenceError) {
        if let maximum, maximum < minimum { return }
        var state = from
        for _ in 0..<minimum {
            let next = addState()
            try add(body, state, next, context, &budget)
            state = next
        }
        if let maximum {
            for _ in minimum..<maximum {
                connect(state, to: to)
                let next = addState()
                try add(body, state, next, context, &budget)
                state = next
            }
        } else {
            // A state of its own: others must not enter the loop by an edge of theirs.
            let loop = addState()
            connect(state, to: loop)
            try add(body, loop, loop, context, &budget)
            state = loop
        }
        connect(state, to: to)
    }

    private mutating func add(
        path: [ByteSet], _ from: Int32, _ to: Int32, _ budget: inout CompilationBudget
    ) throws(InferenceError) {
        try budget.spend(path.count)
        var state = from
        for (index, set) in path.enumerated() {
            let next = index + 1 < path.count ? addState() : to
            connect(state, to: next, set)
            state = next
        }
        if path.isEmpty { connect(from, to: to) }
    }

    /// Adds the characters of a set. Spellings that end alike share states.
    private mutating func add(
        _ set: ScalarSet, _ from: Int32, _ to: Int32, _ encoding: CharacterEncoding, _ budget: inout CompilationBudget
    ) throws(InferenceError) {
        struct Step: Hashable {
            var source: Int32
            var target: Int32
        }
        var endings: [ArraySlice<ClosedRange<UInt8>>: Int32] = [[]: to]
        var steps: [Step: ByteSet] = [:]
        var order: [Step] = []
        for spelling in encoding.spellings(of: set) {
            try budget.spend(spelling.count)
            var target = to
            for index in spelling.indices.reversed() {
                let ending = spelling[index...]
                let source = index == 0 ? from : endings[ending] ?? addState()
                let isKnown = index > 0 && endings[ending] != nil
                if index > 0 { endings[ending] = source }
                if !isKnown {
                    let step = Step(source: source, target: target)
                    if steps[step] == nil { order.append(step) }
                    steps[step, default: ByteSet()].formUnion(ByteSet(spelling[index]))
                }
                target = source
            }
        }
        for step in order {
            if let bytes = steps[step] { connect(step.source, to: step.target, bytes) }
        }
    }

    private mutating func add(
        _ automaton: Automaton, _ from: Int32, _ to: Int32, _ budget: inout CompilationBudget
    ) throws(InferenceError) {
        let first = stateCount
        stateCount += Int32(automaton.states.count)
        connect(from, to: first)
        for (number, state) in automaton.states.enumerated() {
            try budget.spend(1 + state.edges.count)
            let source = first + Int32(number)
            for edge in state.edges { connect(source, to: first + edge.target, edge.bytes) }
            if state.isAccepting { connect(source, to: to) }
        }
    }

    private mutating func add(
        _ network: Expression.Network, _ from: Int32, _ to: Int32, _ context: Context,
        _ budget: inout CompilationBudget
    ) throws(InferenceError) {
        let first = stateCount
        stateCount += Int32(network.nodeCount)
        connect(from, to: first)
        for edge in network.edges {
            try add(edge.expression, first + Int32(edge.source), first + Int32(edge.target), context, &budget)
        }
        connect(first + Int32(network.last), to: to)
    }
}

// MARK: Assertions

extension NondeterministicAutomaton {
    /// An automaton without assertions that accepts the same texts. A state becomes up to four: whether a byte was taken, and whether
    /// the end was asserted.
    private func resolvingAssertions() -> NondeterministicAutomaton {
        struct Place: Hashable {
            var state: Int32
            var isAfterByte: Bool
            var isEnd: Bool
        }
        let outgoing = Dictionary(grouping: edges, by: \.source)
        var result = NondeterministicAutomaton()
        result.byteSets = byteSets
        result.byteSetNumbers = byteSetNumbers
        let first = Place(state: start, isAfterByte: false, isEnd: false)
        var numbers = [first: result.addState()]
        result.accept = result.addState()
        var pending = [first]
        while let place = pending.popLast(), let source = numbers[place] {
            if place.state == accept { result.connect(source, to: result.accept) }
            for edge in outgoing[place.state] ?? [] {
                var next = place
                next.state = edge.target
                var label = edge.label
                switch edge.label {
                case .nothing: break
                case .bytes, .call:
                    if place.isEnd { continue }
                    next.isAfterByte = true
                case .beginning:
                    if place.isAfterByte { continue }
                    label = .nothing
                case .end:
                    next.isEnd = true
                    label = .nothing
                }
                let known = numbers[next]
                let target = known ?? result.addState()
                if known == nil {
                    numbers[next] = target
                    pending.append(next)
                }
                result.connect(source, to: target, label)
            }
        }
        return result
    }
}
