// The order of recording: which operation is held back, and where a barrier is needed.

import InferSupport

/// Encodes commands for one kind of device.
protocol CommandEncoder: AnyObject {
    /// Adds a command, which may run at the same time as the others since the last barrier.
    func encode(_ command: DeviceCommand) throws(InferenceError)

    /// Adds a barrier: later commands begin after all earlier ones are done and their results are visible.
    func encodeBarrier()
}

/// Turns operations into commands and barriers.
///
/// The results are those of running every operation by itself, one after the other.
struct OperationRecorder {
    /// The last operation, if it is not recorded yet.
    private var held: HeldOperation?
    private var hazards = HazardTracker()

    /// Adds an operation. It is joined with the previous one if possible, and held until the next one is known.
    mutating func add(
        _ operation: HeldOperation, to encoder: some CommandEncoder
    ) throws(InferenceError) {
        if let joined = held?.joined(with: operation) {
            held = joined
        } else {
            try flush(to: encoder)
            held = operation
        }
    }

    /// Records the operation that is held.
    mutating func flush(to encoder: some CommandEncoder) throws(InferenceError) {
        guard let operation = held else { return }
        held = nil
        try operation.record { (command) throws(InferenceError) in try record(command, on: encoder) }
    }

    /// Forgets the operation that is held.
    mutating func discardHeld() { held = nil }

    /// Records a command. The caller has flushed the operation that was held.
    mutating func record(_ command: DeviceCommand, on encoder: some CommandEncoder) throws(InferenceError) {
        guard !command.isEmpty else { return }
        order(before: encoder) { command.declareAccesses(to: &$0) }
        try encoder.encode(command)
    }

    /// Adds a barrier if the command that comes next, which `declare` describes, depends on one since the last barrier.
    mutating func order(before encoder: some CommandEncoder, _ declare: (inout HazardTracker) -> Void) {
        hazards.beginCommand()
        declare(&hazards)
        if hazards.endCommand() { encoder.encodeBarrier() }
    }

    /// Adds a barrier.
    mutating func barrier(on encoder: some CommandEncoder) {
        encoder.encodeBarrier()
        hazards.clear()
    }
}

/// The buffers that commands have read and written since the last barrier: a few addresses.
struct HazardTracker {
    private var reads: [DeviceAddress] = []
    private var writes: [DeviceAddress] = []
    /// How many of these belong to commands before the current one.
    private var earlierReads = 0, earlierWrites = 0
    private var needsBarrier = false

    mutating func beginCommand() {
        (earlierReads, earlierWrites) = (reads.count, writes.count)
        needsBarrier = false
    }

    /// The current command reads `buffer`.
    mutating func read(_ buffer: DeviceAddress) {
        if writes[..<earlierWrites].contains(buffer) { needsBarrier = true }
        reads.append(buffer)
    }

    /// The current command writes `buffer`, and possibly reads it.
    mutating func write(_ buffer: DeviceAddress) {
        if writes[..<earlierWrites].contains(buffer) || reads[..<earlierReads].contains(buffer) { needsBarrier = true }
        writes.append(buffer)
    }

    /// Whether the current command has to wait for an earlier one. If it does, all earlier accesses are forgotten.
    mutating func endCommand() -> Bool {
        if needsBarrier {
            reads.removeFirst(earlierReads)
            writes.removeFirst(earlierWrites)
        }
        return needsBarrier
    }

    /// Forgets all accesses.
    mutating func clear() {
        reads.removeAll(keepingCapacity: true)
        writes.removeAll(keepingCapacity: true)
    }
}
