// Recurrent layers: short convolutions and scans over the rows of a step, and advancing states by rows of an earlier step.

import InferTensors

/// Some values of a recurrent memory.
struct DeviceState {
    /// The buffer that holds them, identified by its address.
    let buffer: DeviceAddress
    let address: DeviceAddress
}

/// Causal depthwise convolution of one segment's rows, see ``Backend/convolve(_:_:layer:weight:bias:activates:into:)``.
struct Convolution {
    /// Rows of inputs and outputs. Row 0 of both is row 0 of `layout`.
    let x: DeviceRows, y: DeviceRows
    let layout: SegmentLayout
    let paths: AttentionOperation.Paths
    let certainRows: Int
    let weight: DeviceAddress, bias: DeviceAddress?
    /// Whether SiLU follows.
    let activates: Bool
    /// Earlier inputs that each row reads.
    let window: Int
    /// The last inputs before the step, and those after its certain rows.
    let current: DeviceState, next: DeviceState
    /// Where the inputs of uncertain rows go; nil if there are none.
    let kept: DeviceRows?
}

/// A scan of one segment's rows, or of rows that were kept of an earlier step, see ``Backend/scan(_:_:layer:_:into:)``.
struct Scanning {
    /// The inputs' rows. Without queries and outputs, the state is advanced and not read.
    let queries: DeviceRows?, keys: DeviceRows, values: DeviceRows, decays: DeviceRows, betas: DeviceRows?
    let outputs: DeviceRows?
    let parameters: ScanParameters
    /// The state before the rows, and the one after the certain ones.
    let current: DeviceState, next: DeviceState
    let certainRows: Int
    /// Rows; with a plan, those in it.
    let rows: Int
    /// See ``ScanPlan``; nil for a chain.
    let plan: DeviceAddress?
    /// Room for the plan's slots.
    let slots: DeviceAddress?
    /// Consecutive layers that are advanced at once, floats between their states, and between their inputs.
    var layers = 1, layerStride = 0, inputLayerStride = 0

    var writesNext: Bool { certainRows > 0 || outputs == nil }
}

/// Keeps of uncertain rows what it takes to advance the state by them.
struct InputKeeping {
    let keys: DeviceRows, values: DeviceRows, decays: DeviceRows, betas: DeviceRows?
    let parameters: ScanParameters
    let rows: Int
    let kept: DeviceRows
}

/// Advances the last inputs of convolutions by rows that were kept.
struct WindowShift {
    /// The first layer's last inputs, and its kept rows.
    let inputs: DeviceState, kept: DeviceRows
    /// The ``ScanPlan`` of the rows, and how many they are.
    let plan: DeviceAddress
    let rowCount: Int
    /// Inputs of a window, and values of each.
    let window: Int, channels: Int
    /// Layers, floats between their inputs, and between their kept rows.
    let layers: Int, layerStride: Int, keptLayerStride: Int
}

/// The order in which a scan walks through rows, and which states it puts aside.
///
/// A thread has one state at hand. A row with several children stores its state in a slot, from which all children but the first load
/// it. The child with most rows behind it comes last, when the slot is free again: so a tree of n rows takes at most log₂ n slots.
struct ScanPlan {
    /// As in `scan.comp`: for each row its number, where its parent's state is, and where its own goes.
    private(set) var steps: [Int32] = []
    /// Slots in use at a time, at most.
    private(set) var slots = 0

    private static let root: Int32 = -1, here: Int32 = -2, nowhere: Int32 = -1, result: Int32 = -2

    /// Rows of the plan.
    var rows: Int { steps.count / 3 }

    /// Most slots of a tree of `rows` rows.
    static func mostSlots(rows: Int) -> Int { max(1, rows.bitWidth - 1 - max(1, rows).leadingZeroBitCount) }

    /// A chain of rows, after which the state is the result.
    init(path: [Int]) {
        for (index, row) in path.enumerated() {
            append(
                row, from: index == 0 ? Self.root : Self.here, to: index == path.count - 1 ? Self.result : Self.nowhere)
        }
    }

    /// The uncertain rows of a tree, depth first.
    init(_ layout: SegmentLayout, certainRows: Int) {
        let rows = certainRows..<layout.count
        // The children of each row, those of the certain rows' last one at 0; and the rows of each subtree.
        var children = [[Int]](repeating: [], count: rows.count + 1)
        var sizes = [Int](repeating: 1, count: rows.count + 1)
        func place(_ row: Int) -> Int { row < certainRows ? 0 : row - certainRows + 1 }
        for row in rows { children[place(layout.parent(of: row))].append(row) }
        for row in rows.reversed() { sizes[place(layout.parent(of: row))] += sizes[place(row)] }
        func ordered(_ rows: [Int]) -> [Int] {
            rows.sorted { (sizes[place($0)], $0) < (sizes[place($1)], $1) }
        }
        var pending = ordered(children[0]).reversed().map { (row: $0, from: Self.root, freeSlot: 0) }
        while let (row, from, freeSlot) = pending.popLast() {
            let next = ordered(children[place(row)])
            append(row, from: from, to: next.count > 1 ? Int32(freeSlot) : Self.nowhere)
            if next.count > 1 { slots = max(slots, freeSlot + 1) }
            for (index, child) in next.enumerated().reversed() {
                pending.append(
                    (
                        child, index == 0 ? Self.here : Int32(freeSlot),
                        index == next.count - 1 ? freeSlot : freeSlot + 1
                    ))
            }
        }
    }

    private mutating func append(_ row: Int, from: Int32, to: Int32) {
        steps += [Int32(truncatingIfNeeded: row), from, to]
    }
}

extension DeviceTiling {
    /// Columns of a workgroup of a scan: as many as fit. 0 if not one does.
    func columnsOfScan(keyLength: Int) -> Int {
        // As `state` in `scan.comp`.
        [32, 16, 8, 4, 2, 1].first { 4 * keyLength * $0 <= sharedBytes } ?? 0
    }
}
