// How sixteen keys lie together in the CPU backend's cache, so that a register holds one dimension of all.

/// A panel of sixteen keys: f32 and f16 `[dimension][16]`; q8_0 for each 32 dimensions sixteen f16 scales, then
/// `[8][16][4]` values (`si_key_block_q8_0`).
enum KeyPanel {
    /// Keys of a panel.
    static let keys = 16
    /// Bytes of a q8_0 block of 32 dimensions.
    static let blockBytes = 16 * 34

    /// Bytes of a panel; for q8_0, `dimension` is a multiple of 32.
    static func byteCount(_ dimension: Int, _ type: KVCacheType) -> Int { keys * type.byteCount(dimension) }

    /// Where dimension d < 32 of key `lane` is in a q8_0 block.
    static func offset(of d: Int, _ lane: Int) -> Int { 32 + d / 4 * 64 + 4 * lane + d % 4 }

    /// Writes a Q8_0 block of the file format as key `lane` of a block of sixteen.
    static func setBlock(_ block: UnsafeMutableRawPointer, _ lane: Int, _ source: UnsafeRawPointer) {
        (block + 2 * lane).copyMemory(from: source, byteCount: 2)
        for d in stride(from: 0, to: 32, by: 4) {
            (block + offset(of: d, lane)).copyMemory(from: source + 2 + d, byteCount: 4)
        }
    }

    /// Copies key `from` of the panel `source` to key `to` of the panel `destination`.
    static func copy(
        _ dimension: Int, _ type: KVCacheType, from source: UnsafeRawPointer, _ from: Int,
        to destination: UnsafeMutableRawPointer, _ to: Int
    ) {
        switch type {
        case .f32, .f16:
            let size = type.byteCount(1)
            for d in 0..<dimension {
                (destination + (d * keys + to) * size)
                    .copyMemory(from: source + (d * keys + from) * size, byteCount: size)
            }
        case .q8_0:
            for start in stride(from: 0, to: dimension / 32 * blockBytes, by: blockBytes) {
                (destination + start + 2 * to).copyMemory(from: source + start + 2 * from, byteCount: 2)
                for d in stride(from: 0, to: 32, by: 4) {
                    (destination + start + offset(of: d, to))
                        .copyMemory(from: source + start + offset(of: d, from), byteCount: 4)
                }
            }
        }
    }
}

extension KVCacheType {
    /// Bytes of `count` values; for q8_0, `count` is a multiple of 32.
    func byteCount(_ count: Int) -> Int {
        switch self {
        case .f32: count * 4
        case .f16: count * 2
        case .q8_0: count / 32 * 34
        }
    }
}
