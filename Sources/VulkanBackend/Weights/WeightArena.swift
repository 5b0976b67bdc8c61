// Device memory for weights, and the weights that are in it already.

import InferGGUF
import InferSupport

/// Places weights in device memory. Small weights share buffers ("pieces"), because a device allows few allocations. A piece
/// lives as long as any weight in it.
struct WeightArena {
    /// Bytes of a piece; and the size from which a weight gets an allocation of its own.
    private static let pieceBytes = 16 << 20, largeBytes = 4 << 20
    /// Every address is a multiple of this.
    static let alignment = 256

    private var piece: DeviceBuffer?
    private var used = 0

    /// A place of `byteCount` bytes. Errors name `purpose`.
    mutating func allocate(
        _ byteCount: Int, on queue: CommandQueue, for purpose: String
    ) throws(InferenceError) -> (buffer: DeviceBuffer, offset: Int) {
        if byteCount >= Self.largeBytes { return (try DeviceBuffer(byteCount, on: queue, for: purpose), 0) }
        if let piece, let start = Self.start(of: byteCount, after: used) {
            used = start + byteCount
            return (piece, start)
        }
        let fresh = try DeviceBuffer(Self.pieceBytes, on: queue, for: purpose)
        piece = fresh
        used = byteCount
        return (fresh, 0)
    }

    /// The offset for `byteCount` bytes in a piece with `used` bytes in use; nil if there is no room.
    private static func start(of byteCount: Int, after used: Int) -> Int? {
        let start = (used + alignment - 1) & ~(alignment - 1)
        return byteCount <= pieceBytes - start ? start : nil
    }

    /// Bytes of all buffers that weights of these sizes take, in this order.
    static func byteCount(ofAll sizes: [Int]) -> Int {
        var used = pieceBytes
        return sizes.reduce(0) { total, size in
            if size >= largeBytes { return total + size }
            let start = start(of: size, after: used)
            used = (start ?? 0) + size
            return start == nil ? total + pieceBytes : total
        }
    }
}

/// The planes of tensors by their place in a file, so that an embedding table that is also the output matrix is loaded once.
struct WeightTables {
    /// Rows of a tensor in a file.
    struct Key: Hashable {
        let file: ObjectIdentifier
        let tensor: String
        let rows: Range<Int>
    }
    private struct Entry {
        weak let file: GGUFFile?
        weak let planes: WeightPlanes?
    }
    private var entries: [Key: Entry] = [:]

    /// The planes of a tensor; nil if they are not loaded.
    subscript(key: Key, of file: GGUFFile) -> WeightPlanes? {
        get {
            // Another file may have been allocated at the address of one that was released.
            guard let entry = entries[key], entry.file === file else { return nil }
            return entry.planes
        }
        set {
            entries = entries.filter { $0.value.planes != nil }
            entries[key] = newValue.map { Entry(file: file, planes: $0) }
        }
    }
}
