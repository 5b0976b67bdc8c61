// Recurrent layers on the CPU: short convolutions and scans over the rows of a step, along the paths of its trees.

import InferSupport

/// The state of recurrent layers of one sequence.
///
/// Per layer, one block of ``RecurrentShape/layerStateCount`` values: the heads' states, then the window of earlier convolution
/// inputs, the oldest first.
final class CPURecurrentMemory: RecurrentMemory, @unchecked Sendable {
    let shape: RecurrentShape
    /// The state before the step, and the one after its certain rows.
    private var current: AlignedMemory, next: AlignedMemory
    /// What uncertain rows left: per layer and row the convolution's input, key, value, decays and β.
    private var inputs: AlignedMemory?
    private var inputRows = 0
    private let backend: CPUBackend
    /// The rule by which each layer's state advances; known after its first step.
    private var rules: [ScanParameters?]

    init(_ shape: RecurrentShape, on backend: CPUBackend) throws(InferenceError) {
        self.backend = backend
        current = try AlignedMemory(bytes: 4, shape.layers, shape.layerStateCount, for: "the state of recurrent layers")
        next = try AlignedMemory(bytes: 4, shape.layers, shape.layerStateCount, for: "the state of recurrent layers")
        rules = Array(repeating: nil, count: shape.layers)
        self.shape = shape
    }

    func reserve(uncertainRows count: Int) throws(InferenceError) {
        guard count > inputRows else { return }
        inputs = try AlignedMemory(
            bytes: 4, shape.layers, count, shape.layerInputCount, for: "the inputs of \(count) draft rows")
        inputRows = count
    }

    /// Where head `head`'s state begins.
    fileprivate func state(_ memory: AlignedMemory, layer: Int, head: Int) -> UnsafeMutablePointer<Float> {
        memory.floats + layer * shape.layerStateCount + head * shape.headStateCount
    }
    fileprivate func currentState(layer: Int, head: Int) -> UnsafeMutablePointer<Float> {
        state(current, layer: layer, head: head)
    }
    fileprivate func nextState(layer: Int, head: Int) -> UnsafeMutablePointer<Float> {
        state(next, layer: layer, head: head)
    }

    /// Input `index` of the window, 0 being the oldest.
    private func window(_ memory: AlignedMemory, layer: Int, _ index: Int) -> UnsafeMutablePointer<Float> {
        state(memory, layer: layer, head: shape.heads) + index * shape.channels
    }
    fileprivate func currentWindow(layer: Int, _ index: Int) -> UnsafeMutablePointer<Float> {
        window(current, layer: layer, index)
    }
    fileprivate func nextWindow(layer: Int, _ index: Int) -> UnsafeMutablePointer<Float> {
        window(next, layer: layer, index)
    }

    /// What an uncertain row left.
    fileprivate struct Input {
        let convolved: UnsafeMutablePointer<Float>
        let key: UnsafeMutablePointer<Float>, value: UnsafeMutablePointer<Float>
        let decay: UnsafeMutablePointer<Float>, beta: UnsafeMutablePointer<Float>
    }
    fileprivate func input(layer: Int, row: Int) -> Input? {
        guard let inputs else { return nil }
        let start = inputs.floats + (layer * inputRows + row) * shape.layerInputCount
        let key = start + shape.channels
        let value = key + shape.keyHeads * shape.keyLength
        let decay = value + shape.heads * shape.valueLength
        return Input(
            convolved: start, key: key, value: value, decay: decay,
            beta: decay + shape.heads * (shape.decaysPerKey ? shape.keyLength : 1))
    }

    fileprivate func note(_ rule: ScanParameters, layer: Int) { rules[layer] = rule }

    func acceptCertainRows() { swap(&current, &next) }

    func advance(by rows: [Int]) {
        guard !rows.isEmpty, inputs != nil else { return }
        #if SWIFTINFER_PLANT_FAULTS
        // The inverse control of the exactness checks, which have to notice it: the state also takes in a row that was rejected.
        let rows = rows + [min(rows[rows.count - 1] + 1, inputRows - 1)]
        #endif
        let tiles = ScanTiles(shape)
        // Windows are short: their copies take no thread's while.
        for layer in 0..<shape.layers { shiftWindow(layer: layer, rows) }
        guard tiles.count > 0 else { return }
        backend.pool.run(shape.layers * tiles.count) { index, _ in
            let (layer, number) = index.quotientAndRemainder(dividingBy: tiles.count)
            let tile = tiles[number]
            guard let rule = rules[layer] else { return }
            let state = currentState(layer: layer, head: tile.head) + tile.panel * shape.keyLength * 16
            let keyHead = rule.keyHead(of: tile.head)
            for row in rows {
                guard let input = input(layer: layer, row: row) else { return }
                backend.kernels.scan(
                    Scan(
                        keyLength: shape.keyLength, count: tile.columns.count, state: state,
                        key: input.key + keyHead * shape.keyLength,
                        decay: input.decay + tile.head * (shape.decaysPerKey ? shape.keyLength : 1),
                        decaysPerKey: shape.decaysPerKey,
                        value: input.value + tile.head * shape.valueLength + tile.columns.lowerBound,
                        beta: rule.usesDeltaRule ? input.beta[tile.head] : nil))
            }
        }
    }

    /// The last inputs of window and rows together become the window.
    private func shiftWindow(layer: Int, _ rows: [Int]) {
        let kept = max(0, shape.window - rows.count)
        for index in 0..<kept {
            currentWindow(layer: layer, index)
                .update(from: currentWindow(layer: layer, index + shape.window - kept), count: shape.channels)
        }
        for (index, row) in rows.suffix(shape.window - kept).enumerated() {
            guard let input = input(layer: layer, row: row) else { return }
            currentWindow(layer: layer, kept + index).update(from: input.convolved, count: shape.channels)
        }
    }

    // MARK: Checkpoints

    private final class Checkpoint: RecurrentCheckpoint {
        let memory: AlignedMemory
        init(_ memory: AlignedMemory) { self.memory = memory }
    }

    func copyState() throws(InferenceError) -> any RecurrentCheckpoint {
        let copy = try AlignedMemory(bytes: current.byteCount, for: "a checkpoint of recurrent layers")
        copy.base.copyMemory(from: current.base, byteCount: current.byteCount)
        return Checkpoint(copy)
    }

    func restore(_ checkpoint: any RecurrentCheckpoint) {
        let source = unsafeDowncast(checkpoint, to: Checkpoint.self).memory
        current.base.copyMemory(from: source.base, byteCount: min(source.byteCount, current.byteCount))
    }

    func write(_ checkpoint: any RecurrentCheckpoint, to sink: ByteSink) throws(InferenceError) {
        try unsafeDowncast(checkpoint, to: Checkpoint.self).memory.write(to: sink)
    }

    func readCheckpoint(from source: inout ByteSource) throws(InferenceError) -> any RecurrentCheckpoint {
        let memory = try AlignedMemory(bytes: current.byteCount, for: "a checkpoint of recurrent layers")
        try memory.read(from: &source)
        return Checkpoint(memory)
    }

    func reset() { current.base.initializeMemory(as: UInt8.self, repeating: 0, count: current.byteCount) }
}

/// The parts of a layer's state that are computed on their own: up to 32 value columns of a head.
private struct ScanTiles {
    private let shape: RecurrentShape
    private let tilesPerHead: Int
    /// Number of tiles.
    var count: Int { shape.heads * tilesPerHead }

    init(_ shape: RecurrentShape) {
        self.shape = shape
        tilesPerHead = (shape.valueLength + 31) / 32
    }

    /// The head, the first of its panels of sixteen columns, and the columns.
    subscript(index: Int) -> (head: Int, panel: Int, columns: Range<Int>) {
        let (head, tile) = index.quotientAndRemainder(dividingBy: tilesPerHead)
        return (head, 2 * tile, 32 * tile..<min(32 * tile + 32, shape.valueLength))
    }
}

extension CPUBackend {
    package func convolve(
        _ x: Activations, _ segments: [RecurrentSegment], layer: Int, weight: WeightVector, bias: WeightVector?,
        activates: Bool, into y: Activations
    ) {
        for segment in segments {
            let memory = unsafeDowncast(segment.memory, to: CPURecurrentMemory.self)
            let (window, channels) = (memory.shape.window, memory.shape.channels)
            let layout = segment.layout
            /// The input `age` tokens before row `row`, on its path.
            func input(_ row: Int, _ age: Int) -> UnsafePointer<Float> {
                let depth = Int(layout.depths[row])
                guard age <= depth else {
                    return UnsafePointer(memory.currentWindow(layer: layer, window - (age - depth)))
                }
                return UnsafePointer(x.row(segment.firstRow + layout.ancestor(of: row, age)))
            }
            forEachRange(layout.count, cost: channels * (window + 1)) { range in
                withUnsafeTemporaryAllocation(of: UnsafePointer<Float>.self, capacity: window + 1) { inputs in
                    for row in range {
                        for j in 0...window { inputs.initializeElement(at: j, to: input(row, window - j)) }
                        kernels.convolve(
                            channels, UnsafeBufferPointer(inputs), weight.values, bias?.values, activates: activates,
                            into: y.row(segment.firstRow + row))
                        guard row >= segment.certainRows,
                            let kept = memory.input(layer: layer, row: row - segment.certainRows)
                        else { continue }
                        kept.convolved.update(from: x.row(segment.firstRow + row), count: channels)
                    }
                }
            }
            guard segment.certainRows > 0 else { continue }
            for index in 0..<window {
                memory.nextWindow(layer: layer, index)
                    .update(from: input(segment.certainRows - 1, window - 1 - index), count: channels)
            }
        }
    }

    package func scan(
        _ inputs: ScanInputs, _ segments: [RecurrentSegment], layer: Int, _ parameters: ScanParameters,
        into y: Activations
    ) {
        for segment in segments {
            let memory = unsafeDowncast(segment.memory, to: CPURecurrentMemory.self)
            memory.note(parameters, layer: layer)
            keepInputs(inputs, segment, memory, layer, parameters)
            let tiles = ScanTiles(memory.shape)
            pool.run(tiles.count) { index, _ in
                let tile = tiles[index]
                ScanTile(
                    kernels: kernels, inputs: inputs, outputs: y, parameters: parameters, segment: segment,
                    memory: memory, layer: layer, head: tile.head, panel: tile.panel, columns: tile.columns
                ).run()
            }
        }
    }

    /// Keeps of the uncertain rows what it takes to advance the state by them.
    private func keepInputs(
        _ inputs: ScanInputs, _ segment: RecurrentSegment, _ memory: CPURecurrentMemory, _ layer: Int,
        _ parameters: ScanParameters
    ) {
        let decays = parameters.heads * (parameters.decaysPerKey ? parameters.keyLength : 1)
        for row in segment.certainRows..<segment.layout.count {
            guard let kept = memory.input(layer: layer, row: row - segment.certainRows) else { return }
            let source = segment.firstRow + row
            kept.key.update(from: inputs.keys.row(source), count: parameters.keyHeads * parameters.keyLength)
            kept.value.update(from: inputs.values.row(source), count: parameters.heads * parameters.valueLength)
            kept.decay.update(from: inputs.decays.row(source), count: decays)
            if let betas = inputs.betas { kept.beta.update(from: betas.row(source), count: parameters.heads) }
        }
    }
}

extension ScanInputs.Columns {
    /// The address of row `row`'s columns.
    fileprivate func row(_ row: Int) -> UnsafeMutablePointer<Float> { activations.row(row) + start }
}

/// Some value columns of one head: all rows of a segment, each from its parent's state.
private struct ScanTile {
    let kernels: any KernelSet
    let inputs: ScanInputs
    let outputs: Activations
    let parameters: ScanParameters
    let segment: RecurrentSegment
    let memory: CPURecurrentMemory
    let layer: Int
    let head: Int, panel: Int, columns: Range<Int>

    private var panels: Int { (columns.count + 15) / 16 }
    private var count: Int { panels * 16 * parameters.keyLength }

    func run() {
        let offset = panel * 16 * parameters.keyLength
        let layout = segment.layout
        let current = memory.currentState(layer: layer, head: head) + offset
        let next = memory.nextState(layer: layer, head: head) + offset
        let certain = segment.certainRows
        var root = UnsafePointer(current)
        if certain > 0 {
            next.update(from: current, count: count)
            for row in 0..<certain { take(row, into: next) }
            root = UnsafePointer(next)
        }
        guard layout.count > certain else { return }
        if layout.isChain {
            withStates(1) { state in
                state.update(from: root, count: count)
                for row in certain..<layout.count { take(row, into: state) }
            }
        } else {
            walk(from: root)
        }
    }

    /// The rows of a tree, depth first.
    private func walk(from root: UnsafePointer<Float>) {
        let layout = segment.layout
        let certain = segment.certainRows
        // The children of each uncertain row, those of the certain rows' last one at 0.
        var children = [[Int]](repeating: [], count: layout.count - certain + 1)
        var depth = 1
        for row in certain..<layout.count {
            let parent = layout.parent(of: row)
            children[parent < certain ? 0 : parent - certain + 1].append(row)
            depth = max(depth, Int(layout.depths[row]) + 2)
        }
        withStates(depth) { states in
            // The row's slot, and the state it starts from: that of another slot, or nil for its own slot's.
            var pending: [(row: Int, slot: Int, source: UnsafePointer<Float>?)] =
                children[0].reversed().map { ($0, 0, root) }
            while let (row, slot, source) = pending.popLast() {
                let state = states + slot * count
                if let source { state.update(from: source, count: count) }
                take(row, into: state)
                // The first children copy the state; the last one, which comes last, changes it in place.
                for (index, child) in children[row - certain + 1].reversed().enumerated() {
                    pending.append(index == 0 ? (child, slot, nil) : (child, slot + 1, UnsafePointer(state)))
                }
            }
        }
    }

    /// Lends room for `number` states of the tile.
    private func withStates(_ number: Int, _ body: (UnsafeMutablePointer<Float>) -> Void) {
        withUnsafeTemporaryAllocation(byteCount: 4 * number * count, alignment: 64) { buffer in
            guard let base = buffer.baseAddress else { return }
            body(base.bindMemory(to: Float.self, capacity: number * count))
        }
    }

    private func take(_ row: Int, into state: UnsafeMutablePointer<Float>) {
        let (p, source) = (parameters, segment.firstRow + row)
        let keyHead = p.keyHead(of: head) * p.keyLength
        let first = head * p.valueLength + columns.lowerBound
        kernels.scan(
            Scan(
                keyLength: p.keyLength, count: columns.count, state: state, key: inputs.keys.row(source) + keyHead,
                decay: inputs.decays.row(source) + head * (p.decaysPerKey ? p.keyLength : 1),
                decaysPerKey: p.decaysPerKey, value: inputs.values.row(source) + first,
                beta: inputs.betas.map { $0.row(source)[head] }, query: inputs.queries.row(source) + keyHead,
                scale: p.scale, output: outputs.row(source) + first))
    }
}
