// The SHA-256 digest.

/// SHA-256 (FIPS 180-4), of bytes that come in pieces.
package struct SHA256 {
    private var state: [UInt32] = [
        0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19,
    ]
    private var count: UInt64 = 0
    /// Bytes that do not fill a block of 64 yet.
    private var rest: [UInt8] = []

    /// The digest of no bytes.
    package init() {}

    /// Appends bytes.
    package mutating func append(_ bytes: UnsafeRawBufferPointer) {
        count &+= UInt64(bytes.count)
        var bytes = bytes
        if !rest.isEmpty {
            let missing = min(64 - rest.count, bytes.count)
            rest += bytes[..<missing]
            bytes = UnsafeRawBufferPointer(rebasing: bytes[missing...])
            guard rest.count == 64 else { return }
            rest.withUnsafeBytes { Self.takeBlocks($0, into: &state) }
            rest.removeAll(keepingCapacity: true)
        }
        let whole = bytes.count & ~63
        Self.takeBlocks(UnsafeRawBufferPointer(rebasing: bytes[..<whole]), into: &state)
        rest += bytes[whole...]
    }

    /// The digest of all bytes so far: 64 hexadecimal digits in lower case.
    package var hexadecimal: String {
        var state = state
        var end = rest + [0x80]
        end += [UInt8](repeating: 0, count: (120 - end.count % 64) % 64)
        let bits = count &* 8
        for shift in stride(from: 56, through: 0, by: -8) {
            end.append(UInt8(truncatingIfNeeded: bits >> UInt64(shift)))
        }
        end.withUnsafeBytes { Self.takeBlocks($0, into: &state) }
        return state.map { word in
            let digits = String(word, radix: 16)
            return String(repeating: "0", count: 8 - digits.count) + digits
        }.joined()
    }

    /// The digest of `bytes`, in hexadecimal digits.
    package static func hexadecimal(of bytes: UnsafeRawBufferPointer) -> String {
        var digest = SHA256()
        digest.append(bytes)
        return digest.hexadecimal
    }

    /// Whether `text` can be a digest: 64 hexadecimal digits.
    package static func isDigest(_ text: String) -> Bool {
        text.utf8.count == 64 && text.allSatisfy { $0.isHexDigit && $0.isASCII }
    }

    // MARK: The compression function

    private static let constants: [UInt32] = [
        0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5,
        0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174,
        0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da,
        0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7, 0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967,
        0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85,
        0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070,
        0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
        0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2,
    ]

    /// Takes in whole blocks of 64 bytes.
    private static func takeBlocks(_ bytes: UnsafeRawBufferPointer, into state: inout [UInt32]) {
        guard !bytes.isEmpty else { return }
        constants.withUnsafeBufferPointer { constants in
            // The message schedule: the 16 words that the next 16 rounds take in.
            withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 16) { schedule in
                var (a, b, c, d) = (state[0], state[1], state[2], state[3])
                var (e, f, g, h) = (state[4], state[5], state[6], state[7])
                for offset in stride(from: 0, to: bytes.count, by: 64) {
                    for t in 0..<16 {
                        let word = bytes.loadUnaligned(fromByteOffset: offset + 4 * t, as: UInt32.self)
                        schedule[t] = UInt32(bigEndian: word)
                    }
                    let before = (a, b, c, d, e, f, g, h)
                    for t in stride(from: 0, to: 64, by: 16) {
                        if t > 0 {
                            advance(schedule, 0)
                            advance(schedule, 1)
                            advance(schedule, 2)
                            advance(schedule, 3)
                            advance(schedule, 4)
                            advance(schedule, 5)
                            advance(schedule, 6)
                            advance(schedule, 7)
                            advance(schedule, 8)
                            advance(schedule, 9)
                            advance(schedule, 10)
                            advance(schedule, 11)
                            advance(schedule, 12)
                            advance(schedule, 13)
                            advance(schedule, 14)
                            advance(schedule, 15)
                        }
                        // The eight words change places in each round; eight rounds in a row bring them back, so none is copied.
                        round(a, b, c, &d, e, f, g, &h, constants[t &+ 0] &+ schedule[0])
                        round(h, a, b, &c, d, e, f, &g, constants[t &+ 1] &+ schedule[1])
                        round(g, h, a, &b, c, d, e, &f, constants[t &+ 2] &+ schedule[2])
                        round(f, g, h, &a, b, c, d, &e, constants[t &+ 3] &+ schedule[3])
                        round(e, f, g, &h, a, b, c, &d, constants[t &+ 4] &+ schedule[4])
                        round(d, e, f, &g, h, a, b, &c, constants[t &+ 5] &+ schedule[5])
                        round(c, d, e, &f, g, h, a, &b, constants[t &+ 6] &+ schedule[6])
                        round(b, c, d, &e, f, g, h, &a, constants[t &+ 7] &+ schedule[7])
                        round(a, b, c, &d, e, f, g, &h, constants[t &+ 8] &+ schedule[8])
                        round(h, a, b, &c, d, e, f, &g, constants[t &+ 9] &+ schedule[9])
                        round(g, h, a, &b, c, d, e, &f, constants[t &+ 10] &+ schedule[10])
                        round(f, g, h, &a, b, c, d, &e, constants[t &+ 11] &+ schedule[11])
                        round(e, f, g, &h, a, b, c, &d, constants[t &+ 12] &+ schedule[12])
                        round(d, e, f, &g, h, a, b, &c, constants[t &+ 13] &+ schedule[13])
                        round(c, d, e, &f, g, h, a, &b, constants[t &+ 14] &+ schedule[14])
                        round(b, c, d, &e, f, g, h, &a, constants[t &+ 15] &+ schedule[15])
                    }
                    (a, b, c, d) = (a &+ before.0, b &+ before.1, c &+ before.2, d &+ before.3)
                    (e, f, g, h) = (e &+ before.4, f &+ before.5, g &+ before.6, h &+ before.7)
                }
                state = [a, b, c, d, e, f, g, h]
            }
        }
    }

    /// Replaces word `t` of the schedule by the one of 16 rounds later.
    @inline(__always)
    private static func advance(_ schedule: UnsafeMutableBufferPointer<UInt32>, _ t: Int) {
        let (x, y) = (schedule[(t &+ 1) & 15], schedule[(t &+ 14) & 15])
        let sigma0 = rotate(x, 7) ^ rotate(x, 18) ^ x >> 3
        let sigma1 = rotate(y, 17) ^ rotate(y, 19) ^ y >> 10
        schedule[t] = schedule[t] &+ sigma0 &+ schedule[(t &+ 9) & 15] &+ sigma1
    }

    /// One round. `d` becomes the new e and `h` the new a.
    @inline(__always)
    private static func round(
        _ a: UInt32, _ b: UInt32, _ c: UInt32, _ d: inout UInt32, _ e: UInt32, _ f: UInt32, _ g: UInt32,
        _ h: inout UInt32, _ input: UInt32
    ) {
        let choice = g ^ (e & (f ^ g))
        let majority = (a & b) | (c & (a | b))
        let first = h &+ (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) &+ choice &+ input
        d = d &+ first
        h = first &+ (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) &+ majority
    }

    @inline(__always)
    private static func rotate(_ value: UInt32, _ bits: UInt32) -> UInt32 { value &>> bits | value &<< (32 &- bits) }
}
