// Deterministic automata over bytes, and the operations on the sets of texts that they accept.

import InferSupport

/// A deterministic automaton over bytes whose states may also call rules. State 0 is the first.
///
/// No two edges of a state have a byte in common, and no two calls of a state have the same rule. An edge and a call, or two calls, may
/// begin with the same byte: then a text has several readings.
struct Automaton: Sendable {
    struct Edge: Sendable {
        var bytes: ByteSet
        var target: Int32
    }

    struct Call: Sendable {
        var rule: Int32
        var target: Int32
    }

    struct State: Sendable {
        var edges: [Edge] = []
        var calls: [Call] = []
        var isAccepting = false

        /// The state after `byte`; nil if there is none.
        func next(_ byte: UInt8) -> Int32? { edges.first { $0.bytes.contains(byte) }?.target }
    }

    var states: [State]

    /// Whether `text` is accepted. There must be no calls.
    func accepts(_ text: some Sequence<UInt8>) -> Bool {
        var state: Int32 = 0
        for byte in text {
            guard let next = states[Int(state)].next(byte) else { return false }
            state = next
        }
        return states[Int(state)].isAccepting
    }
}

// MARK: Exploring

extension Automaton {
    /// The automaton whose states are the values that `steps` leads to from `start`.
    ///
    /// - Parameters:
    ///   - steps: The edges of a state. No two have a byte in common.
    ///   - isAccepting: Whether a state accepts.
    init<Value: Hashable>(
        from start: Value, budget: inout CompilationBudget,
        steps: (Value) -> [(bytes: ByteSet, target: Value)], isAccepting: (Value) -> Bool
    ) throws(InferenceError) {
        states = []
        var numbers: [Value: Int32] = [start: 0]
        var values = [start]
        while states.count < values.count {
            let value = values[states.count]
            var state = State(isAccepting: isAccepting(value))
            for (bytes, target) in steps(value) where !bytes.isEmpty {
                let number = numbers[target] ?? Int32(values.count)
                if Int(number) == values.count {
                    numbers[target] = number
                    values.append(target)
                }
                if let same = state.edges.firstIndex(where: { $0.target == number }) {
                    state.edges[same].bytes.formUnion(bytes)
                } else {
                    state.edges.append(Edge(bytes: bytes, target: number))
                }
            }
            try budget.spend(4 + state.edges.count)
            states.append(state)
            try budget.check(states: states.count)
        }
    }

    private struct Pair: Hashable {
        var one: Int32
        /// −1 where the other automaton has stopped.
        var other: Int32
    }

    /// The texts that both automata accept.
    func intersection(_ other: Automaton, budget: inout CompilationBudget) throws(InferenceError) -> Automaton {
        func steps(_ pair: Pair) -> [(bytes: ByteSet, target: Pair)] {
            var steps: [(bytes: ByteSet, target: Pair)] = []
            for edge in states[Int(pair.one)].edges {
                for step in other.states[Int(pair.other)].edges {
                    steps.append((edge.bytes.intersection(step.bytes), Pair(one: edge.target, other: step.target)))
                }
            }
            return steps
        }
        return try Automaton(from: Pair(one: 0, other: 0), budget: &budget, steps: steps) { pair in
            states[Int(pair.one)].isAccepting && other.states[Int(pair.other)].isAccepting
        }
    }

    /// The texts that this automaton accepts and the other does not.
    func subtracting(_ other: Automaton, budget: inout CompilationBudget) throws(InferenceError) -> Automaton {
        func steps(_ pair: Pair) -> [(bytes: ByteSet, target: Pair)] {
            let others = pair.other < 0 ? [] : other.states[Int(pair.other)].edges
            var steps: [(bytes: ByteSet, target: Pair)] = []
            for edge in states[Int(pair.one)].edges {
                var rest = edge.bytes
                for step in others {
                    steps.append((rest.intersection(step.bytes), Pair(one: edge.target, other: step.target)))
                    rest = rest.subtracting(step.bytes)
                }
                steps.append((rest, Pair(one: edge.target, other: -1)))
            }
            return steps
        }
        return try Automaton(from: Pair(one: 0, other: 0), budget: &budget, steps: steps) { pair in
            let isExcluded = pair.other >= 0 && other.states[Int(pair.other)].isAccepting
            return states[Int(pair.one)].isAccepting && !isExcluded
        }
    }
}

// MARK: From expressions

extension Automaton {
    /// The texts of an expression without rules.
    init(
        _ expression: Expression, encoding: CharacterEncoding, budget: inout CompilationBudget
    ) throws(InferenceError) {
        let context = NondeterministicAutomaton.Context(encoding: encoding)
        let automaton = try NondeterministicAutomaton(expression, context, budget: &budget)
        self = try Automaton(automaton, budget: &budget)
    }

    /// The deterministic form of `automaton`: its states are sets of that one's states.
    init(_ automaton: NondeterministicAutomaton, budget: inout CompilationBudget) throws(InferenceError) {
        var construction = SubsetConstruction(automaton)
        states = []
        _ = try construction.number(of: [automaton.start], &budget)
        while states.count < construction.subsets.count {
            states.append(try construction.state(states.count, &budget))
        }
    }
}

/// The subset construction (M. Rabin, D. Scott, "Finite automata and their decision problems", 1959).
private struct SubsetConstruction {
    private let accept: Int32
    /// Of each state, the edges that take nothing, bytes, and rules.
    private let free: Lists<Int32>
    private let taking: Lists<(set: Int32, target: Int32)>
    private let calling: Lists<Automaton.Call>
    /// Bytes that all sets of the automaton treat alike form a class.
    private let classes: [ByteSet]
    /// By set, its classes.
    private let classesOfSets: [[Int]]

    /// The sets of states so far, without states that have only free edges.
    private(set) var subsets: [[Int32]] = []
    private var numbers: [[Int32]: Int32] = [:]

    /// For each state, the number of the last closure that had it.
    private var marks: [Int32]
    private var closureCount: Int32 = 0

    init(_ automaton: NondeterministicAutomaton) {
        accept = automaton.accept
        let count = Int(automaton.stateCount)
        free = Lists(count, automaton.edges) { $0.label == .nothing ? ($0.source, $0.target) : nil }
        taking = Lists(count, automaton.edges) {
            if case .bytes(let set) = $0.label { ($0.source, (set, $0.target)) } else { nil }
        }
        calling = Lists(count, automaton.edges) {
            if case .call(let rule) = $0.label {
                ($0.source, Automaton.Call(rule: rule, target: $0.target))
            } else {
                nil
            }
        }
        classes = ByteClasses(automaton.byteSets).sets
        classesOfSets = automaton.byteSets.map { [classes] set in
            classes.indices.filter { index in classes[index].first.map(set.contains) ?? false }
        }
        marks = Array(repeating: 0, count: count)
    }

    /// The number of the set of these states and of all that free edges lead to.
    mutating func number(of states: [Int32], _ budget: inout CompilationBudget) throws(InferenceError) -> Int32 {
        closureCount += 1
        var subset: [Int32] = []
        var pending = states
        var steps = 0
        while let state = pending.popLast() {
            steps += 1
            guard marks[Int(state)] != closureCount else { continue }
            marks[Int(state)] = closureCount
            pending += free[state]
            if state == accept || !taking[state].isEmpty || !calling[state].isEmpty { subset.append(state) }
        }
        try budget.spend(steps)
        subset.sort()
        if let known = numbers[subset] { return known }
        let number = Int32(subsets.count)
        numbers[subset] = number
        subsets.append(subset)
        try budget.check(states: subsets.count)
        return number
    }

    /// The state of the deterministic automaton that stands for a set.
    mutating func state(_ number: Int, _ budget: inout CompilationBudget) throws(InferenceError) -> Automaton.State {
        let subset = subsets[number]
        var state = Automaton.State(isAccepting: subset.contains(accept))
        var targets: [Int: [Int32]] = [:]
        var callTargets: [Int32: [Int32]] = [:]
        var steps = 0
        for member in subset {
            for (set, target) in taking[member] {
                for byteClass in classesOfSets[Int(set)] {
                    targets[byteClass, default: []].append(target)
                    steps += 1
                }
            }
            for call in calling[member] { callTargets[call.rule, default: []].append(call.target) }
        }
        try budget.spend(steps + 4)
        // Classes with the same targets share the work.
        var bytes: [[Int32]: ByteSet] = [:]
        var order: [[Int32]] = []
        for (byteClass, list) in targets.sorted(by: { $0.key < $1.key }) {
            if bytes[list] == nil { order.append(list) }
            bytes[list, default: ByteSet()].formUnion(classes[byteClass])
        }
        for list in order {
            guard let bytes = bytes[list] else { continue }
            let target = try self.number(of: list, &budget)
            if let same = state.edges.firstIndex(where: { $0.target == target }) {
                state.edges[same].bytes.formUnion(bytes)
            } else {
                state.edges.append(Automaton.Edge(bytes: bytes, target: target))
            }
        }
        for (rule, list) in callTargets.sorted(by: { $0.key < $1.key }) {
            state.calls.append(Automaton.Call(rule: rule, target: try self.number(of: list, &budget)))
        }
        return state
    }
}

/// The bytes in classes: bytes that all of some sets treat alike.
struct ByteClasses {
    /// The class of each byte.
    private(set) var numbers = [UInt8](repeating: 0, count: 256)
    /// The bytes of each class.
    private(set) var sets = [ByteSet(0...255)]

    init(_ byteSets: some Sequence<ByteSet>) {
        for set in byteSets where sets.count < 256 {
            for index in sets.indices {
                let inside = sets[index].intersection(set)
                let outside = sets[index].subtracting(set)
                guard !inside.isEmpty, !outside.isEmpty else { continue }
                sets[index] = outside
                sets.append(inside)
            }
        }
        for (number, set) in sets.enumerated() {
            for byte in UInt8.min...UInt8.max where set.contains(byte) { numbers[Int(byte)] = UInt8(number) }
        }
    }
}

/// Lists of elements in one array, one list per state.
private struct Lists<Element> {
    private var starts: [Int32]
    private var elements: [Element]

    /// The elements that `element` finds, each for a state.
    init<Source>(_ count: Int, _ sources: [Source], element: (Source) -> (state: Int32, element: Element)?) {
        starts = Array(repeating: 0, count: count + 1)
        var found: [(state: Int32, element: Element)] = []
        for source in sources {
            guard let element = element(source) else { continue }
            found.append(element)
        }
        found.sort { $0.state < $1.state }
        for (state, _) in found { starts[Int(state) + 1] += 1 }
        for state in 0..<count { starts[state + 1] += starts[state] }
        elements = found.map(\.element)
    }

    subscript(_ state: Int32) -> ArraySlice<Element> {
        elements[Int(starts[Int(state)])..<Int(starts[Int(state) + 1])]
    }
}
