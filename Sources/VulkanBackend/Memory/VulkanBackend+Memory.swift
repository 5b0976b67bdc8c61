// Memory of the Vulkan backend: making operands, moving data in and out of them, and predicting their sizes.

import CInferVulkanKernels
package import InferGGUF
package import InferSupport
package import InferTensors
import Synchronization

// MARK: Operands

extension VulkanBackend {
    /// Floats that ``write(_:to:)`` hands over at once.
    private static let writeCount = 1 << 18

    package func makeActivations(rows: Int, columns: Int) throws(InferenceError) -> Activations {
        let (count, isTooMany) = VulkanActivations.stride(columns).multipliedReportingOverflow(by: rows)
        guard !isTooMany, count < 1 << 40 else {
            throw InferenceError(.outOfMemory, "\(rows) × \(columns) activations cannot be addressed")
        }
        let buffer = try DeviceBuffer(4 * count, on: queue, for: "\(rows) × \(columns) activations")
        try scratch.withLock { scratch throws(InferenceError) in
            try scratch.reserveInputs(rows: rows, columns: columns, on: queue)
        }
        perform { () in queue.clear(buffer.memory) }
        return VulkanActivations(buffer, rows: rows, columns: columns)
    }

    package func makeView(of x: Activations, columns: Int) -> Activations {
        VulkanActivations(viewOf: activations(x), columns: columns)
    }

    package func makeRecurrentMemory(_ shape: RecurrentShape) throws(InferenceError) -> any RecurrentMemory {
        guard shape.heads == 0 || tiling.columnsOfScan(keyLength: shape.keyLength) > 0 else {
            throw InferenceError(
                .unsupportedModel,
                "recurrent states with keys of \(shape.keyLength) values are too large for \(device.name); use --backend cpu"
            )
        }
        return try VulkanRecurrentMemory(shape, on: self)
    }

    package func makeCache(_ shape: KVCacheShape) throws(InferenceError) -> KVCache {
        let cache = try VulkanKeyValueCache(shape, on: queue)
        perform { () in for buffer in cache.buffers { queue.clear(buffer.memory) } }
        return cache
    }

    package func makeRouting(rows: Int, expertsUsed: Int) throws(InferenceError) -> ExpertRouting {
        VulkanExpertRouting(
            try DeviceBuffer(
                VulkanExpertRouting.byteCount(rows: rows, expertsUsed: expertsUsed), on: queue,
                for: "the routing of experts"), rows: rows, expertsUsed: expertsUsed)
    }

    package func write(_ values: [Float], to x: Activations) {
        let target = activations(x)
        let rowsAtOnce = max(1, Self.writeCount / target.columns)
        for start in stride(from: 0, to: values.count, by: rowsAtOnce * target.columns) {
            let part = Array(values[start..<min(start + rowsAtOnce * target.columns, values.count)])
            perform { () throws(InferenceError) in
                var offset = 0
                try part.withBytes { bytes throws(InferenceError) in offset = try queue.upload(bytes).offset }
                let pieces = target.pieces(
                    rows: start / target.columns..<(start + part.count) / target.columns, compactFrom: offset)
                let copies = pieces.map {
                    VkBufferCopy(srcOffset: UInt64($0.compact), dstOffset: UInt64($0.padded), size: UInt64($0.size))
                }
                queue.copyUpload(copies, to: target.buffer.memory, writes: target.buffer.address)
            }
        }
    }

    package func read<R>(_ x: Activations, rows: Int, _ body: (UnsafeBufferPointer<Float>) -> R) -> R {
        let source = activations(x)
        let count = rows * source.columns
        let isThere = source.readBack.withLock {
            $0.rows >= rows && $0.operations == operations.load(ordering: .relaxed)
        }
        if !isThere, (try? copyBack([source], rows: rows)) == nil {
            // A device that failed has no values. The next step reports the failure.
            let nothing = [Float](repeating: .nan, count: count)
            return nothing.withUnsafeBufferPointer(body)
        }
        let mapped = source.readBack.withLock { $0.buffer?.memory.mapped }
        return body(
            UnsafeBufferPointer(
                start: mapped.map { UnsafePointer($0.assumingMemoryBound(to: Float.self)) }, count: count))
    }

    /// Copies rows 0..<rows of each result, without padding, to memory that the host reads, and waits for all work so far.
    func copyBack(_ results: [VulkanActivations], rows: Int) throws(InferenceError) {
        let targets = try results.map { x throws(InferenceError) in try readBackBuffer(of: x, rows: rows) }
        let number = operations.load(ordering: .relaxed)
        try queue.finish { () in
            for (x, target) in zip(results, targets) {
                let copies = x.pieces(rows: 0..<rows, compactFrom: 0).map {
                    VkBufferCopy(srcOffset: UInt64($0.padded), dstOffset: UInt64($0.compact), size: UInt64($0.size))
                }
                queue.copy(copies, from: x.buffer, to: target)
            }
            return true
        }
        for (x, target) in zip(results, targets) {
            x.readBack.withLock {
                $0 = VulkanActivations.ReadBack(buffer: target, rows: rows, operations: number)
            }
            countReadBack(4 * rows * x.columns)
        }
    }

    /// The buffer from which the host reads the first rows of `x`.
    private func readBackBuffer(of x: VulkanActivations, rows: Int) throws(InferenceError) -> DeviceBuffer {
        let byteCount = 4 * rows * x.columns
        if let buffer = x.readBack.withLock({ $0.buffer }), buffer.memory.byteCount >= byteCount { return buffer }
        return try DeviceBuffer(byteCount, .readBack, on: queue, for: "what is read back")
    }
}

extension VulkanActivations {
    /// Byte offsets of some rows in the buffer and in a copy without padding that begins at `start`.
    fileprivate func pieces(
        rows: Range<Int>, compactFrom start: Int
    ) -> [(padded: Int, compact: Int, size: Int)] {
        if all.lineStride == columns { return [(4 * rows.lowerBound * columns, start, 4 * rows.count * columns)] }
        return rows.enumerated().map { (4 * all.offset(of: $1), start + 4 * $0 * columns, 4 * columns) }
    }
}

/// Memory that operations use for intermediate results: buffers that grow to what the largest operation needs.
///
/// Work that was recorded with a buffer keeps it alive after it is replaced by a larger one.
struct VulkanScratch {
    /// Inputs of products, rounded to eight bits.
    private(set) var inputs: DeviceBuffer
    /// The memory that attention works in.
    private var attention: DeviceBuffer
    /// The states of rows that several others follow.
    private var states: DeviceBuffer?

    init(on queue: CommandQueue) throws(InferenceError) {
        inputs = try DeviceBuffer(1 << 16, on: queue, for: "inputs of products")
        attention = try DeviceBuffer(1 << 16, on: queue, for: "attention")
    }

    /// Memory for the states of a tree of `rows` rows.
    mutating func reserveStates(
        _ shape: RecurrentShape, rows: Int, on queue: CommandQueue
    ) throws(InferenceError) -> DeviceBuffer {
        let bytes = Self.stateByteCount(shape, rows: rows)
        if let states, states.memory.byteCount >= bytes { return states }
        // Drafts grow: there is room for those of the usual largest size at once.
        let fresh = try DeviceBuffer(
            max(bytes, Self.stateByteCount(shape, rows: 64)), on: queue, for: "the states of draft rows")
        states = fresh
        return fresh
    }

    /// Bytes of the states that a tree of `rows` rows keeps at a time in one layer.
    static func stateByteCount(_ shape: RecurrentShape, rows: Int) -> Int {
        Int.product(4, ScanPlan.mostSlots(rows: rows), shape.heads, shape.headStateCount)
    }

    /// Makes room for `rows` rows of `columns` values as inputs of products.
    mutating func reserveInputs(rows: Int, columns: Int, on queue: CommandQueue) throws(InferenceError) {
        let bytes = Self.inputByteCount(rows: rows, columns: columns)
        if bytes > inputs.memory.byteCount {
            inputs = try DeviceBuffer(bytes, on: queue, for: "inputs of products")
        }
    }

    /// Memory with room for `work`.
    mutating func reserveAttention(_ work: AttentionWork, on queue: CommandQueue) throws(InferenceError) -> DeviceBuffer
    {
        let bytes = work.byteCount
        if bytes > attention.memory.byteCount {
            // Contexts grow by a token at a time. Room for twice as much makes replacements rare.
            attention = try DeviceBuffer(
                max(bytes, min(2 * bytes, AttentionWork.largestByteCount)), on: queue, for: "attention")
        }
        return attention
    }

    /// Bytes of `rows` rows of `columns` rounded inputs.
    static func inputByteCount(rows: Int, columns: Int) -> Int {
        Int.product(rows, (columns + 31) / 32, InputRounding.groupBytes)
    }
}

// MARK: Sizes

extension VulkanBackend: DeviceBackend {
    /// Most bytes that are left to the driver, to other programs and to rounding; at most an eighth of the free memory.
    private static let reserve = 256 << 20

    /// Parts of the names of tensors whose values are loaded as f32, whatever their type and shape.
    private static let floatNames = [".bias", "ssm_conv1d", "shortconv.conv", "attn_kv_b"]

    package var availableByteCount: Int {
        let free = queue.availableByteCount
        return max(0, free - min(Self.reserve, free / 8))
    }

    package func byteCount(ofWeights tensors: [TensorInfo]) -> Int {
        WeightArena.byteCount(
            ofAll: tensors.map { tensor in
                if tensor.shape.count == 1 || Self.floatNames.contains(where: tensor.name.contains) {
                    return 4 * tensor.elementCount
                }
                guard let layout = PlaneLayout(tensor.type) else {
                    return tensor.rows * 8 * ((tensor.columns + 7) / 8) * (tensor.type == .f32 ? 4 : 2)
                }
                return PlaneOffsets(layout, groups: tensor.elementCount / 32).byteCount
            })
    }

    package func byteCount(of shape: KVCacheShape) -> Int { VulkanKeyValueCache.byteCount(of: shape) }

    package func byteCount(ofScansOf shape: RecurrentShape, uncertainRows: Int) -> Int {
        VulkanScratch.stateByteCount(shape, rows: uncertainRows)
    }

    package func byteCount(ofActivations shapes: [(rows: Int, columns: Int)]) -> Int {
        let buffers = shapes.map { Int.product(4, $0.rows, VulkanActivations.stride($0.columns)) }
        let inputs = shapes.map { VulkanScratch.inputByteCount(rows: $0.rows, columns: $0.columns) }
        return Int.sum(buffers + [inputs.max() ?? 0])
    }

    package func byteCount(
        ofAttentionRows rows: Int, heads: Int, valueDimension: Int, context: Int
    ) -> Int {
        let row = AttentionWork.byteCount(heads: heads, visible: context, valueDimension: valueDimension)
        let most = max(row, min(Int.product(2, rows, row), AttentionWork.largestByteCount))
        // Twice: when the memory grows, the previous buffer is still in use.
        return Int.product(2, most)
    }

    package var deviceName: String { device.name }

    package var commandCounts: DeviceCommandCounts { queue.commandCounts }

    package func copyRate() throws(InferenceError) -> Double {
        let size = min(256 << 20, availableByteCount / 4) & ~15, copies = 8
        let source = try DeviceBuffer(size, on: queue, for: "a copy")
        let target = try DeviceBuffer(size, on: queue, for: "a copy")
        func copy() throws(InferenceError) {
            let whole = VkBufferCopy(srcOffset: 0, dstOffset: 0, size: UInt64(size))
            perform { () in
                for _ in 0..<copies {
                    queue.copy([whole], from: source, to: target)
                }
            }
            try queue.finish { () in true }
        }
        perform { () in queue.clear(source.memory) }
        try copy()
        let start = ContinuousClock.now
        try copy()
        let seconds: Double = (ContinuousClock.now - start) / .seconds(1)
        return Double(2 * copies * size) / seconds
    }
}
