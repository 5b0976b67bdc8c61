// What recurrent layers keep of a sequence, and how a step reads and advances it.

package import InferSupport

/// The sizes of what some recurrent layers of one shape keep: the last inputs of a short convolution, and a state matrix per head.
package struct RecurrentShape: Sendable, Equatable {
    /// Layers of that shape.
    package var layers: Int
    /// Earlier inputs that a convolution reads, and the values of each.
    package var window: Int, channels: Int
    /// Heads of the state, each keyLength × valueLength; 0 for a layer that is a convolution alone.
    package var heads: Int, keyLength: Int, valueLength: Int
    /// Heads of the keys, which several heads of the state can share; and whether keys decay one by one.
    package var keyHeads: Int, decaysPerKey: Bool

    /// The shape of a memory.
    package init(
        layers: Int, window: Int, channels: Int, heads: Int = 0, keyLength: Int = 0, valueLength: Int = 0,
        keyHeads: Int = 0, decaysPerKey: Bool = false
    ) {
        self.layers = layers
        (self.window, self.channels) = (window, channels)
        (self.heads, self.keyLength, self.valueLength) = (heads, keyLength, valueLength)
        (self.keyHeads, self.decaysPerKey) = (keyHeads, decaysPerKey)
    }

    /// Values of a head's state, with valueLength rounded up to a panel of ``panelWidth``.
    package var headStateCount: Int {
        (valueLength + Self.panelWidth - 1) / Self.panelWidth * Self.panelWidth * keyLength
    }
    /// Values of a layer's state and window.
    package var layerStateCount: Int { heads * headStateCount + window * channels }
    /// Values that one uncertain row of a step leaves in a layer: what it takes to compute its state again.
    package var layerInputCount: Int {
        channels + keyHeads * keyLength + heads * (valueLength + (decaysPerKey ? keyLength : 1) + 1)
    }

    /// Values of a state that lie side by side: a head's state is in panels of that many value columns, `[panel][key][16]`.
    package static let panelWidth = 16

    /// Bytes of one state of all layers.
    package var stateByteCount: Int { Int.product(4, layers, layerStateCount) }
    /// Bytes of a memory whose steps have up to `uncertainRows` rows that may be dropped: the state before a step and the one after
    /// it, and what those rows leave.
    package func byteCount(uncertainRows: Int) -> Int {
        Int.sum([Int.product(2, stateByteCount), Int.product(4, layers, uncertainRows, layerInputCount)])
    }
}

/// The state of recurrent layers after some token of a sequence.
///
/// A step reads the state before it and writes the one after its certain rows beside it; of rows that may be dropped the memory
/// keeps what it takes to compute their state again, so that the state of whichever row is kept has the bits of plain decoding.
package protocol RecurrentMemory: AnyObject, Sendable {
    /// Its sizes.
    var shape: RecurrentShape { get }

    /// Makes room for steps with `count` rows that may be dropped.
    func reserve(uncertainRows count: Int) throws(InferenceError)

    /// The step has succeeded: the state after its certain rows becomes the state.
    func acceptCertainRows()

    /// Advances the state of all layers by rows of the last step that were uncertain: `rows` are their numbers among these, each the
    /// parent of the next.
    func advance(by rows: [Int])

    /// A copy of the state.
    func copyState() throws(InferenceError) -> any RecurrentCheckpoint

    /// Takes a state that was copied from this memory, or from another one of the same shape and backend.
    func restore(_ checkpoint: any RecurrentCheckpoint)

    /// Goes back to the state before the first token.
    func reset()

    /// Writes a copied state in the form that ``readCheckpoint(from:)`` of a memory of the same shape and backend takes.
    func write(_ checkpoint: any RecurrentCheckpoint, to sink: ByteSink) throws(InferenceError)

    /// Reads a copied state.
    ///
    /// - Throws: `unreadableFile` if there are too few bytes, `outOfMemory`.
    func readCheckpoint(from source: inout ByteSource) throws(InferenceError) -> any RecurrentCheckpoint
}

/// A copied state of recurrent layers.
package protocol RecurrentCheckpoint: AnyObject, Sendable {}

/// One sequence's rows in a step, as recurrent layers see them.
package struct RecurrentSegment {
    /// The segment's rows are rows `firstRow ..< firstRow + layout.count` of the step's activations.
    package let firstRow: Int
    /// Which row follows which.
    package let layout: SegmentLayout
    /// The first rows that are a chain and will be kept in any case.
    package let certainRows: Int
    /// The state of the sequence.
    package let memory: any RecurrentMemory

    /// The rows from `firstRow` on.
    package init(firstRow: Int, layout: SegmentLayout, certainRows: Int, memory: any RecurrentMemory) {
        (self.firstRow, self.layout, self.certainRows, self.memory) = (firstRow, layout, certainRows, memory)
    }
}

/// How a state matrix M (keyLength × valueLength, one per head) takes in a row and is read.
///
/// M ← decay ⊙ M + k dᵀ, then y = scale · Mᵀ q. In a linear recurrence (Mamba-2, arXiv 2405.21060) d = v; by the delta rule (arXiv
/// 2412.06464) d = β (v − Mᵀ k), with the M that has decayed. The decay is one number per head, or one per key channel
/// (arXiv 2510.26692). Sums over key channels are one chain, ascending.
package struct ScanParameters: Sendable, Equatable {
    /// Heads of the state and of the keys and queries, and lengths of a head's key and value.
    package var heads: Int, keyHeads: Int, keyLength: Int, valueLength: Int
    /// Which key head a head reads: h / (heads / keyHeads), or h mod keyHeads.
    package var keyHeadsAreTiled: Bool
    /// Whether keys decay one by one.
    package var decaysPerKey: Bool
    /// Whether the delta rule applies.
    package var usesDeltaRule: Bool
    /// Factor of the results.
    package var scale: Float

    /// The rule of a layer.
    package init(
        heads: Int, keyHeads: Int, keyLength: Int, valueLength: Int, keyHeadsAreTiled: Bool, decaysPerKey: Bool,
        usesDeltaRule: Bool, scale: Float
    ) {
        (self.heads, self.keyHeads) = (heads, keyHeads)
        (self.keyLength, self.valueLength) = (keyLength, valueLength)
        (self.keyHeadsAreTiled, self.decaysPerKey) = (keyHeadsAreTiled, decaysPerKey)
        (self.usesDeltaRule, self.scale) = (usesDeltaRule, scale)
    }

    /// The key head that a head reads.
    package func keyHead(of head: Int) -> Int { keyHeadsAreTiled ? head % keyHeads : head / (heads / keyHeads) }
}

/// The rows that a scan takes in.
package struct ScanInputs {
    /// Some columns of activations, from `start` on.
    package struct Columns {
        package let activations: Activations
        package let start: Int
        package init(_ activations: Activations, from start: Int = 0) {
            (self.activations, self.start) = (activations, start)
        }
    }
    /// keyHeads × keyLength values each.
    package let queries: Columns, keys: Columns
    /// heads × valueLength values.
    package let values: Columns
    /// The factors that the state decays by: one per head, or heads × keyLength.
    package let decays: Columns
    /// β: one per head; nil for a linear recurrence.
    package let betas: Columns?

    package init(queries: Columns, keys: Columns, values: Columns, decays: Columns, betas: Columns?) {
        (self.queries, self.keys, self.values, self.decays, self.betas) = (queries, keys, values, decays, betas)
    }
}
