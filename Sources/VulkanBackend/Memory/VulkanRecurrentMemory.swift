// The states of recurrent layers in the device's memory.

import CInferVulkanKernels
import InferSupport
import InferTensors
import Synchronization

/// The state of recurrent layers of one sequence.
///
/// Per layer, one block of ``RecurrentShape/layerStateCount`` floats: the heads' states, keys × values with rows padded to multiples of
/// 16, then the window of earlier convolution inputs, the oldest first.
final class VulkanRecurrentMemory: RecurrentMemory, @unchecked Sendable {
    let shape: RecurrentShape
    private let backend: VulkanBackend
    /// The state before the step, and the one after its certain rows.
    private var current: DeviceBuffer, next: DeviceBuffer
    /// What uncertain rows left: per layer and row the convolution's input, key, value, decays and β.
    private var inputs: DeviceBuffer?
    private var inputRows = 0
    /// The rule by which each layer's state advances; known after its first step.
    private var rules: [ScanParameters?]
    private let checkpoints: CheckpointPool

    init(_ shape: RecurrentShape, on backend: VulkanBackend) throws(InferenceError) {
        (self.shape, self.backend) = (shape, backend)
        let bytes = max(16, shape.stateByteCount)
        guard bytes < .max else {
            throw InferenceError(.outOfMemory, "the state of recurrent layers is too large to be addressed")
        }
        current = try DeviceBuffer(bytes, on: backend.queue, for: "the state of recurrent layers")
        next = try DeviceBuffer(bytes, on: backend.queue, for: "the state of recurrent layers")
        rules = Array(repeating: nil, count: shape.layers)
        checkpoints = CheckpointPool(bytes)
        let buffers = [current, next]
        backend.perform { () in for buffer in buffers { backend.queue.clear(buffer.memory) } }
    }

    func reserve(uncertainRows count: Int) throws(InferenceError) {
        guard count > inputRows else { return }
        // Drafts grow row by row.
        let rows = max(count, min(2 * inputRows, 64))
        inputs = nil
        inputRows = 0
        inputs = try DeviceBuffer(
            max(16, Int.product(4, shape.layers, rows, shape.layerInputCount)), on: backend.queue,
            for: "the inputs of \(rows) draft rows")
        inputRows = rows
    }

    // MARK: Parts

    /// The heads' states of a layer, before the step or after its certain rows.
    func states(layer: Int, isNext: Bool = false) -> DeviceState {
        part(isNext ? next : current, layer * shape.layerStateCount)
    }

    /// The window of a layer.
    func window(layer: Int, isNext: Bool = false) -> DeviceState {
        part(isNext ? next : current, layer * shape.layerStateCount + shape.heads * shape.headStateCount)
    }

    private func part(_ buffer: DeviceBuffer, _ offset: Int) -> DeviceState {
        DeviceState(buffer: buffer.address, address: buffer.address + UInt64(4 * offset))
    }

    /// Where uncertain rows leave their inputs of a layer's convolution; nil if there is no room for any.
    func convolutionInputs(layer: Int) -> DeviceRows? {
        inputs.map { inputs in
            DeviceRows(
                buffer: inputs.address,
                address: inputs.address + UInt64(4 * layer * inputRows * shape.layerInputCount),
                columns: shape.layerInputCount, stride: shape.layerInputCount)
        }
    }

    /// Where they leave their keys, values, decays and β.
    func scanInputs(layer: Int) -> DeviceRows? { convolutionInputs(layer: layer)?.dropColumns(shape.channels) }

    func note(_ rule: ScanParameters, layer: Int) { rules[layer] = rule }

    // MARK: Steps

    func acceptCertainRows() { swap(&current, &next) }

    func advance(by rows: [Int]) {
        guard !rows.isEmpty, let first = convolutionInputs(layer: 0) else { return }
        let plan = ScanPlan(path: rows)
        let keptLayerStride = inputRows * shape.layerInputCount
        let shift = { (address: DeviceAddress) in
            WindowShift(
                inputs: self.window(layer: 0), kept: first, plan: address, rowCount: rows.count,
                window: self.shape.window, channels: self.shape.channels, layers: self.shape.layers,
                layerStride: self.shape.layerStateCount, keptLayerStride: keptLayerStride)
        }
        backend.perform { () throws(InferenceError) in
            let address = try backend.queue.upload(plan.steps)
            try backend.queue.record(.shiftWindows(shift(address)))
            for (layers, rule) in layersByRule {
                guard let kept = scanInputs(layer: layers.lowerBound) else { continue }
                let values = shape.keyHeads * shape.keyLength
                let decays = values + shape.heads * shape.valueLength
                let betas = decays + shape.heads * (shape.decaysPerKey ? shape.keyLength : 1)
                let state = states(layer: layers.lowerBound)
                var scanning = Scanning(
                    queries: nil, keys: kept, values: kept.dropColumns(values), decays: kept.dropColumns(decays),
                    betas: rule.usesDeltaRule ? kept.dropColumns(betas) : nil, outputs: nil, parameters: rule,
                    current: state, next: state, certainRows: 0, rows: rows.count, plan: address, slots: nil)
                scanning.layers = layers.count
                scanning.layerStride = shape.layerStateCount
                scanning.inputLayerStride = keptLayerStride
                try backend.queue.record(.scan(scanning))
            }
        }
    }

    /// Consecutive layers whose states advance by the same rule.
    private var layersByRule: [(layers: Range<Int>, rule: ScanParameters)] {
        var runs: [(layers: Range<Int>, rule: ScanParameters)] = []
        for (layer, rule) in rules.enumerated() {
            guard let rule else { continue }
            if let last = runs.last, last.rule == rule, last.layers.upperBound == layer {
                runs[runs.count - 1].layers = last.layers.lowerBound..<layer + 1
            } else {
                runs.append((layer..<layer + 1, rule))
            }
        }
        return runs
    }

    // MARK: Checkpoints

    private final class Checkpoint: RecurrentCheckpoint {
        let place: CheckpointPool.Place
        private let pool: CheckpointPool
        init(_ place: CheckpointPool.Place, of pool: CheckpointPool) { (self.place, self.pool) = (place, pool) }
        deinit { pool.put(place) }
    }

    func copyState() throws(InferenceError) -> any RecurrentCheckpoint {
        let place = try checkpoints.take(on: backend.queue)
        copy(from: (current, 0), to: place)
        return Checkpoint(place, of: checkpoints)
    }

    func restore(_ checkpoint: any RecurrentCheckpoint) {
        copy(from: unsafeDowncast(checkpoint, to: Checkpoint.self).place, to: (current, 0))
    }

    func reset() {
        let buffer = current
        backend.perform { () in backend.queue.clear(buffer.memory) }
    }

    func write(_ checkpoint: any RecurrentCheckpoint, to sink: ByteSink) throws(InferenceError) {
        let place = unsafeDowncast(checkpoint, to: Checkpoint.self).place
        try backend.write(place.buffer, place.offset..<place.offset + checkpoints.byteCount, to: sink)
    }

    func readCheckpoint(from source: inout ByteSource) throws(InferenceError) -> any RecurrentCheckpoint {
        let place = try checkpoints.take(on: backend.queue)
        let checkpoint = Checkpoint(place, of: checkpoints)
        try backend.read(place.buffer, place.offset..<place.offset + checkpoints.byteCount, from: &source)
        return checkpoint
    }

    private func copy(from source: CheckpointPool.Place, to target: CheckpointPool.Place) {
        let piece = VkBufferCopy(
            srcOffset: UInt64(source.offset), dstOffset: UInt64(target.offset), size: UInt64(checkpoints.byteCount))
        backend.perform { () in
            backend.queue.copy([piece], from: source.buffer, to: target.buffer)
        }
    }
}

/// Room for copies of states of one size. Several share a buffer, because a device allows few allocations.
private final class CheckpointPool: Sendable {
    typealias Place = (buffer: DeviceBuffer, offset: Int)

    /// Bytes of a copy.
    let byteCount: Int
    private let free = Mutex<[Place]>([])

    /// Most bytes of a buffer with several copies.
    private static let bufferBytes = 4 << 20

    init(_ byteCount: Int) { self.byteCount = byteCount }

    func take(on queue: CommandQueue) throws(InferenceError) -> Place {
        if let place = free.withLock({ $0.popLast() }) { return place }
        let count = min(max(1, Self.bufferBytes / byteCount), 16)
        let buffer = try DeviceBuffer(count * byteCount, on: queue, for: "a checkpoint of recurrent layers")
        let places: [Place] = (0..<count).map { (buffer, $0 * byteCount) }
        free.withLock { $0 += places.dropFirst().reversed() }
        return places[0]
    }

    func put(_ place: Place) { free.withLock { $0.append(place) } }
}
