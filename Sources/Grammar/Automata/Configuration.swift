// What the automaton knows after a text: its states, each with its stack.

/// The situation after a text: all readings of it, and whether it may end.
///
/// A value: a copy goes on independently, at the price of an array. Stacks are shared and never change.
struct Configuration: Sendable {
    /// A reading: a state that takes bytes, and the stack below it.
    struct Reading: Sendable {
        var state: Int32
        var frame: Frame
    }

    /// The readings. None is there twice.
    var readings: [Reading] = []
    /// Whether the text is complete.
    var isAccepting = false

    /// Whether nothing is allowed any more, not even the end.
    var isDead: Bool { readings.isEmpty && !isAccepting }
}

/// A call that has not ended: where it goes on, in each of the readings that made it.
///
/// The frames of a text form a graph (M. Tomita, "Efficient parsing for natural language", 1986). Calls of one rule at one place share a
/// frame, so an ambiguous text costs no more than its length times the number of states.
final class Frame: Sendable {
    /// Where readings go on.
    let returns: [Configuration.Reading]
    /// Whether the text can end with the call.
    let isBottom: Bool
    /// The number of frames below.
    let depth: Int

    init(returns: [Configuration.Reading], isBottom: Bool) {
        (self.returns, self.isBottom) = (returns, isBottom)
        depth = 1 + (returns.lazy.map(\.frame.depth).max() ?? 0)
    }
}

extension PushdownAutomaton {
    /// The configuration before any text.
    var initial: Configuration {
        let frame = Frame(returns: [], isBottom: true)
        return configuration(at: [Configuration.Reading(state: ruleStarts[0], frame: frame)])
    }

    /// The configuration after one more byte.
    func advance(_ configuration: Configuration, by byte: UInt8) -> Configuration {
        var arrived: [Configuration.Reading] = []
        var isSettled = true
        for reading in configuration.readings {
            let next = next(reading.state, byte)
            guard next >= 0, hasRoom(next, reading.frame) else { continue }
            isSettled = isSettled && flags[Int(next)] == .taking
            arrived.append(Configuration.Reading(state: next, frame: reading.frame))
        }
        // Different states of one rule can lead to the same state.
        return isSettled && arrived.count <= 1 ? Configuration(readings: arrived) : self.configuration(at: arrived)
    }

    /// The configuration of readings that have arrived at these states: calls that have ended return, and rules are called.
    func configuration(at arrived: [Configuration.Reading]) -> Configuration {
        var configuration = Configuration()
        var readings = ReadingSet(limit: limits.readings)
        for reading in arrived { readings.insert(reading) }

        // Returns. A frame that was made before the last byte is complete.
        var place = 0
        while place < readings.elements.count {
            let reading = readings.elements[place]
            place += 1
            guard flags[Int(reading.state)].contains(.accepting) else { continue }
            if reading.frame.isBottom { configuration.isAccepting = true }
            for target in reading.frame.returns { readings.insert(target) }
        }

        // Calls, in the order of the rules: when a rule's turn comes, all its callers have had theirs.
        var pending: [PendingCall] = []
        place = 0
        while true {
            while place < readings.elements.count {
                let reading = readings.elements[place]
                place += 1
                guard flags[Int(reading.state)].contains(.calling) else { continue }
                for call in calls(of: reading.state) { note(call, of: reading.frame, &pending) }
            }
            guard let next = pending.indices.min(by: { pending[$0].rule < pending[$1].rule }) else { break }
            let call = pending.remove(at: next)
            guard call.isBottom || !call.returns.elements.isEmpty else { continue }
            let frame = Frame(returns: call.returns.elements, isBottom: call.isBottom)
            readings.insert(Configuration.Reading(state: ruleStarts[Int(call.rule)], frame: frame))
        }
        configuration.readings = readings.elements.filter { flags[Int($0.state)].contains(.taking) }
        return configuration
    }

    /// Whether a state can reach the end of its rule, called by `frame`, within the limit of the nesting.
    func hasRoom(_ state: Int32, _ frame: Frame) -> Bool { frame.depth + Int(nesting[Int(state)]) <= limits.depth }

    /// Notes a call of a reading with `frame`, unless it could not be completed within the limit of the nesting.
    private func note(_ call: Automaton.Call, of frame: Frame, _ pending: inout [PendingCall]) {
        let index = pending.firstIndex { $0.rule == call.rule } ?? pending.count
        if index == pending.count {
            pending.append(PendingCall(rule: call.rule, returns: ReadingSet(limit: limits.readings)))
        }
        guard frame.depth + 1 + Int(nesting[Int(ruleStarts[Int(call.rule)])]) <= limits.depth,
            hasRoom(call.target, frame)
        else { return }
        if flags[Int(call.target)] == .accepting {
            // Nothing follows in the caller: the call returns to where the caller would return, and the stack does not grow.
            if frame.isBottom { pending[index].isBottom = true }
            for target in frame.returns { pending[index].returns.insert(target) }
        } else {
            pending[index].returns.insert(Configuration.Reading(state: call.target, frame: frame))
        }
    }
}

/// A rule that is called at the current place, with the calls so far.
private struct PendingCall {
    var rule: Int32
    var returns: ReadingSet
    var isBottom = false
}

/// Readings in the order of their insertion, each once.
private struct ReadingSet {
    private struct Key: Hashable {
        var state: Int32
        var frame: ObjectIdentifier
    }

    private(set) var elements: [Configuration.Reading] = []
    private let limit: Int
    /// Used from a certain number of elements on.
    private var keys: Set<Key> = []

    init(limit: Int) { self.limit = limit }

    mutating func insert(_ reading: Configuration.Reading) {
        guard elements.count < limit else { return }
        if elements.count < 16 {
            guard !elements.contains(where: { $0.state == reading.state && $0.frame === reading.frame }) else { return }
        } else {
            if keys.isEmpty { keys = Set(elements.map { Key(state: $0.state, frame: ObjectIdentifier($0.frame)) }) }
            let key = Key(state: reading.state, frame: ObjectIdentifier(reading.frame))
            guard keys.insert(key).inserted else { return }
        }
        elements.append(reading)
    }
}
