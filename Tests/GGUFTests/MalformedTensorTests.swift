// Malformed tensor directories: each is refused with the tensor and the offset of its entry.

import InferGGUF
import Testing

@Suite struct MalformedTensorTests {
    private let start = RawGGUF.headerSize

    /// Expects that a file with this directory entry and 256 bytes of data is refused.
    private func refuse(
        _ tensor: [UInt8], _ phrase: String, at position: Int? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        expectMalformed(
            RawGGUF(tensors: [tensor], dataCount: 256), "tensor bad", phrase, at: position,
            sourceLocation: sourceLocation)
    }

    // MARK: Names

    @Test("wrong name lengths", arguments: [1 << 31, 1 << 63, UInt64.max] as [UInt64])
    func nameLength(_ length: UInt64) {
        let tensor = [UInt8].string("bad", length: length) + [UInt8](repeating: 0, count: 32)
        expectMalformed(RawGGUF(tensors: [tensor]), "name of tensor 0", "\(length) bytes", at: start)
    }

    @Test func nameSizes() throws {
        #expect(throws: Never.self) {
            let longest = String(repeating: "n", count: 1024)
            _ = try RawGGUF(tensors: [RawGGUF.tensor(longest, shape: [1])], dataCount: 4).open()
        }
        for name in ["", String(repeating: "n", count: 1025)] {
            let file = RawGGUF(tensors: [RawGGUF.tensor(name, shape: [1])], dataCount: 256)
            expectMalformed(file, "tensor 0", "\(name.utf8.count) bytes", at: start)
        }
    }

    @Test func duplicateName() {
        let file = RawGGUF(
            tensors: [RawGGUF.tensor("same", shape: [1]), RawGGUF.tensor("same", shape: [1], offset: 32)],
            dataCount: 64)
        expectMalformed(file, "tensor same", "twice", at: start + 8 + 4 + 4 + 8 + 4 + 8)
    }

    // MARK: Shapes

    private var shapePosition: Int { start + 8 + 3 }

    @Test("numbers of dimensions", arguments: [0, 5, 6, 1 << 31, UInt32.max] as [UInt32])
    func dimensions(_ count: UInt32) {
        refuse(
            RawGGUF.tensor("bad", shape: [1, 1, 1, 1, 1, 1], dimensions: count), "\(count) dimensions",
            at: shapePosition)
    }

    @Test(
        "a dimension of zero makes a tensor without elements, wherever it lies",
        arguments: [[0], [0, 1], [32, 0], [32, 1, 0], [32, 1, 1, 0], [0, 0, 0, 0]] as [[UInt64]])
    func zero(shape: [UInt64]) throws {
        for type in [0, 8] as [UInt32] {
            for offset in [0, 32, 256] as [UInt64] {
                let file = try RawGGUF(
                    tensors: [
                        RawGGUF.tensor("before", shape: [64]),
                        RawGGUF.tensor("empty", shape: shape, type: type, offset: offset),
                    ], dataCount: 256
                ).open()
                let tensor = try #require(file.tensor("empty"))
                #expect(tensor.byteCount == 0 && tensor.elementCount == 0 && file.data(of: "empty") == [])
                #expect(file.data(of: "before")?.count == 256)
            }
            refuse(RawGGUF.tensor("bad", shape: shape, type: type, offset: 288), "beyond the end", at: start)
            refuse(RawGGUF.tensor("bad", shape: shape, type: type, offset: 1), "no multiple", at: start)
        }
    }

    @Test("the other dimensions beside one of zero must fit all the same")
    func zeroBesideHuge() {
        for shape in [[0, 1 << 62, 4], [1 << 62, 4, 0], [1 << 40, 0, 1 << 40]] as [[UInt64]] {
            refuse(RawGGUF.tensor("bad", shape: shape), "overflows", at: shapePosition)
        }
    }

    @Test("a dimension that no Int holds", arguments: [1 << 63, UInt64.max] as [UInt64])
    func negative(extent: UInt64) {
        for shape in [[extent], [1, extent], [1, 1, 1, extent]] {
            refuse(RawGGUF.tensor("bad", shape: shape), "dimension of \(extent)", at: shapePosition)
        }
    }

    @Test(
        "shapes whose number of elements overflows",
        arguments: [
            [1 << 62, 2], [1 << 32, 1 << 31], [1 << 32, 1 << 32], [1 << 16, 1 << 16, 1 << 16, 1 << 16],
            [(1 << 31) - 1, (1 << 31) - 1, (1 << 31) - 1, (1 << 31) - 1].map { 4 * $0 }, [1, (1 << 62) + 1, 2],
        ] as [[UInt64]])
    func elementOverflow(shape: [UInt64]) {
        refuse(RawGGUF.tensor("bad", shape: shape, type: 24), "overflows", at: shapePosition)
    }

    @Test("shapes whose size in bytes overflows, though the number of elements does not")
    func byteOverflow() {
        refuse(RawGGUF.tensor("bad", shape: [1 << 61], type: 0), "size in bytes overflows", at: shapePosition)
        refuse(RawGGUF.tensor("bad", shape: [1 << 62], type: 1), "size in bytes overflows", at: shapePosition)
        refuse(RawGGUF.tensor("bad", shape: [(1 << 63) - 32], type: 8), "size in bytes overflows", at: shapePosition)
        refuse(
            RawGGUF.tensor("bad", shape: [4, (1 << 30) - 1, (1 << 30) + 1], type: 0), "overflows", at: shapePosition)
    }

    @Test("sizes near the largest integer that wrap when a careless reader multiplies or pads them")
    func huge() {
        // Q4_0: 18 · 2^60 wraps before the division by 32.
        refuse(RawGGUF.tensor("bad", shape: [1 << 60], type: 2), "beyond the end", at: start)
        refuse(RawGGUF.tensor("bad", shape: [32, 1 << 42], type: 2), "beyond the end", at: start)
        refuse(RawGGUF.tensor("bad", shape: [1, (1 << 42) + 1]), "beyond the end", at: start)
        // Padding this size to 32 wraps.
        refuse(RawGGUF.tensor("bad", shape: [(1 << 63) - 1], type: 24), "beyond the end", at: start)
        // The sum of these two wraps.
        let half = RawGGUF.tensor("bad", shape: [0x7fff_ffff_ffff_ffc0], type: 24)
        expectMalformed(
            RawGGUF(tensors: [half, RawGGUF.tensor("b", shape: [0x7fff_ffff_ffff_ffc0], type: 24, offset: 32)]),
            "tensor bad", "beyond the end")
    }

    @Test("rows that are no whole number of blocks")
    func rows() {
        for (type, columns) in [(2, 31), (2, 33), (8, 1), (12, 128), (12, 255), (39, 16), (40, 32)]
            as [(UInt32, UInt64)]
        {
            refuse(RawGGUF.tensor("bad", shape: [columns], type: type), "no multiple", at: shapePosition)
        }
    }

    // MARK: Types

    @Test(
        "types that were given up or never defined",
        arguments: [4, 5, 31, 32, 33, 36, 37, 38, 43, 64, 255, 1 << 16, 1 << 31, UInt32.max] as [UInt32])
    func types(_ type: UInt32) {
        refuse(RawGGUF.tensor("bad", shape: [256], type: type), "unknown type \(type)", at: shapePosition)
    }

    @Test func layouts() {
        let bytesPer256: [(TensorType, String, Int)] = [
            (.f32, "F32", 1024), (.f16, "F16", 512), (.bf16, "BF16", 512), (.q4_0, "Q4_0", 144), (.q4_1, "Q4_1", 160),
            (.q5_0, "Q5_0", 176), (.q5_1, "Q5_1", 192), (.q8_0, "Q8_0", 272), (.q2_K, "Q2_K", 84), (.q3_K, "Q3_K", 110),
            (.q4_K, "Q4_K", 144), (.q5_K, "Q5_K", 176), (.q6_K, "Q6_K", 210), (.iq4_nl, "IQ4_NL", 144),
            (.iq4_xs, "IQ4_XS", 136), (.mxfp4, "MXFP4", 136),
        ]
        for (type, name, bytes) in bytesPer256 {
            #expect(type.isKnown && type.description == name)
            #expect(256 / type.blockSize * type.blockBytes == bytes, "\(name)")
        }
        let retired = TensorType(rawValue: 4)
        #expect(!retired.isKnown && retired.blockSize == 0 && retired.blockBytes == 0)
        #expect(retired.description == "type 4")
    }

    // MARK: Offsets

    @Test(
        "offsets beyond the end",
        arguments: [256, 1 << 20, 1 << 40, 1 << 62, 1 << 63, (1 << 63) - 32, UInt64.max - 31] as [UInt64])
    func offsets(_ offset: UInt64) {
        refuse(RawGGUF.tensor("bad", shape: [1], offset: offset), "beyond the end", at: start)
    }

    @Test("offsets that are not aligned", arguments: [1, 4, 16, 31, 33, UInt64.max] as [UInt64])
    func misaligned(_ offset: UInt64) {
        refuse(RawGGUF.tensor("bad", shape: [1], offset: offset), "no multiple of 32", at: start)
    }

    @Test("one byte too few")
    func oneByteShort() throws {
        let tensor = RawGGUF.tensor("bad", shape: [16], offset: 32)
        #expect(throws: Never.self) { try RawGGUF(tensors: [tensor], dataCount: 96).open() }
        expectMalformed(RawGGUF(tensors: [tensor], dataCount: 95), "tensor bad", "beyond the end", at: start)
    }

    @Test("a directory at the very end of the file")
    func noData() {
        var file = RawGGUF(tensors: [RawGGUF.tensor("bad", shape: [1])])
        file.alignment = 1
        expectMalformed(file, "tensor bad", "beyond the end", at: start)
    }

    @Test("tensors that overlap")
    func overlap() {
        for (first, second) in [(0, 0), (0, 32), (32, 0)] as [(UInt64, UInt64)] {
            let file = RawGGUF(
                tensors: [
                    RawGGUF.tensor("one", shape: [16], offset: first),
                    RawGGUF.tensor("two", shape: [16], offset: second),
                ], dataCount: 256)
            expectMalformed(file, "one", "two", "overlap")
        }
    }
}
