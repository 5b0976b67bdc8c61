// Rotary position embedding, and writing keys and values to the key–value cache.

import InferTensors

/// How one head's key or value lies in a slot of the cache.
struct CacheRowLayout {
    /// Elements, and elements with the padding to a multiple of eight.
    let dimension: Int, padded: Int
    /// Bytes of the elements, and of their scales.
    let byteCount: Int, scaleByteCount: Int

    init(_ type: KVCacheType, dimension: Int) {
        self.dimension = dimension
        padded = (dimension + 7) & ~7
        byteCount =
            switch type {
            case .f32: 4 * padded
            case .f16: 2 * padded
            case .q8_0: padded
            }
        scaleByteCount = type == .q8_0 ? 2 * (padded / 32) : 0
    }
}

/// The keys, or the values, of one layer in the cache: for each head its slots, one after the other.
struct CacheLayer {
    let row: CacheRowLayout
    /// The buffer, identified by its address. Several layers can share one.
    let buffer: DeviceAddress
    let address: DeviceAddress
    /// The scales of eight-bit elements.
    let scaleAddress: DeviceAddress
}

/// Rotations in place by the same angles: of one set of heads, or of a step's queries and then its keys.
struct Rotations {
    let angles: DeviceRows
    let rows: Int, headDimension: Int
    /// The first dimension of a head that is rotated.
    let offset: Int
    let pairing: RotaryPairing
    /// What is rotated: one or two sets of rows.
    private(set) var targets: [DeviceRows]

    init(
        _ target: DeviceRows, rows: Int, headDimension: Int, offset: Int = 0, angles: DeviceRows,
        pairing: RotaryPairing
    ) {
        (self.rows, self.headDimension, self.offset) = (rows, headDimension, offset)
        (self.angles, self.pairing) = (angles, pairing)
        targets = [target]
    }

    /// Pairs of a head.
    var pairs: Int { angles.columns / 2 }

    /// Heads in a row of `target`.
    func heads(of target: DeviceRows) -> Int { target.columns / headDimension }

    /// This followed by another rotation; nil if `next` rotates the same heads or rotates in another way.
    func followed(by next: Self) -> Self? {
        guard targets.count == 1, next.targets.count == 1, targets[0].buffer != next.targets[0].buffer,
            angles.address == next.angles.address, rows == next.rows, headDimension == next.headDimension,
            offset == next.offset, pairing == next.pairing
        else { return nil }
        var joined = self
        joined.targets += next.targets
        return joined
    }
}

/// Writes keys and values to one layer's slots `firstSlot`…, one row for each slot. With rotations, the keys are rotated on the
/// way, and the queries by the same command.
struct Storing {
    /// Rows of keys and of values.
    let keys: DeviceRows, values: DeviceRows
    let rows: Int
    /// Where they go.
    let keyCache: CacheLayer, valueCache: CacheLayer
    let firstSlot: Int
    let shape: KVCacheShape
    private(set) var rotations: Rotations?

    /// Stores rows `firstRow`..<`firstRow + rows` of `keys` and `values`.
    init(
        _ keys: DeviceRows, _ values: DeviceRows, firstRow: Int, rows: Int, in shape: KVCacheShape,
        _ keyCache: CacheLayer, _ valueCache: CacheLayer, firstSlot: Int
    ) {
        (self.keys, self.values) = (keys.dropFirst(firstRow), values.dropFirst(firstRow))
        (self.rows, self.shape, self.firstSlot) = (rows, shape, firstSlot)
        (self.keyCache, self.valueCache) = (keyCache, valueCache)
    }

    /// This preceded by rotations, the last of which rotates these keys; nil if it rotates others, more or fewer rows, or heads from
    /// another dimension on. Keys that are stored as eight-bit integers have to be rotated before, because a block needs the pairs of other threads.
    func rotating(_ rotations: Rotations) -> Self? {
        guard shape.type != .q8_0, rotations.targets.last?.address == keys.address, rotations.rows == rows,
            rotations.headDimension == shape.keyDimension, rotations.offset == 0
        else { return nil }
        var joined = self
        joined.rotations = rotations
        return joined
    }

    /// The queries that are rotated as well.
    var queries: DeviceRows? {
        guard let rotations, rotations.targets.count > 1 else { return nil }
        return rotations.targets[0]
    }
}

/// Copies whole slots of the cache, one move after the other, in consecutive layers.
struct SlotMoves {
    /// Pairs of slots as 32-bit integers: from, to.
    let moves: DeviceAddress
    let count: Int
    /// The buffer, and the elements or the scales of the first layer in it.
    let buffer: DeviceAddress, address: DeviceAddress
    /// Bytes of one head's slot; even, or 0 where there are no scales.
    let slotBytes: Int
    /// Heads of all layers.
    let heads: Int
    /// Slots of a head.
    let slots: Int
}
