// Rotary position embedding on the device: joining it with the storing of keys changes no bit.

import InferTensors
import InferVulkan
import Testing

@Suite("Rotations on a Vulkan device", .enabled(if: Device.isThere, "\(Device.absence)"))
struct RotationTests {
    private static let rows = 3, heads = 4, keyHeads = 2

    /// Operands of a step with heads of 32 values, of which `pairs` pairs are rotated.
    private struct Setup {
        let backend: any Backend, pairing: RotaryPairing, cache: KVCache
        let q: Activations, k: Activations, v: Activations, angles: Activations, attended: Activations

        init(_ backend: any Backend, _ type: KVCacheType, _ pairing: RotaryPairing, pairs: Int) throws {
            (self.backend, self.pairing) = (backend, pairing)
            cache = try backend.makeCache(
                KVCacheShape(layers: 2, heads: keyHeads, keyDimension: 32, valueDimension: 32, slots: 8, type: type))
            func make(_ columns: Int, seed: Int) throws -> Activations {
                let x = try backend.makeActivations(rows: rows, columns: columns)
                let values = (0..<rows * columns).map { Float(($0 &* 7919 &+ seed) % 2003) / 1001 - 1 }
                backend.write(values, to: x)
                return x
            }
            q = try make(32 * heads, seed: 1)
            k = try make(32 * keyHeads, seed: 2)
            v = try make(32 * keyHeads, seed: 3)
            angles = try make(2 * pairs, seed: 4)
            attended = try make(32 * heads, seed: 5)
        }

        func rotate(_ x: Activations) {
            backend.rotate(x, rows: rows, headDimension: 32, offset: 0, rotation: angles, pairing: pairing)
        }

        /// The bits of attention over the stored tokens, of the queries and of the keys.
        func results() -> [[UInt32]] {
            let parameters = AttentionParameters(heads: heads, keyValueHeads: keyHeads, scale: 0.2)
            let segments = [
                AttentionSegment(firstRow: 0, layout: SegmentLayout(chain: rows, after: 0), cache: cache)
            ]
            backend.store(keys: k, values: v, segments, layer: 1)
            backend.attend(q, segments, layer: 1, parameters, into: attended)
            return [attended, q, k].map { backend.read($0, rows: rows) { $0.map(\.bitPattern) } }
        }
    }

    @Test(
        "Operations in between and their order change no bit", arguments: KVCacheType.allCases,
        [(RotaryPairing.halves, 16), (.adjacent, 16), (.halves, 11), (.adjacent, 5)])
    func order(_ type: KVCacheType, _ kind: (pairing: RotaryPairing, pairs: Int)) throws {
        let device = try Device.shared.get()
        func results(_ rotate: (Setup) -> Void) throws -> [[UInt32]] {
            let setup = try Setup(device, type, kind.pairing, pairs: kind.pairs)
            rotate(setup)
            return setup.results()
        }
        // Queries and then keys, as in a model.
        let expected = try results {
            $0.rotate($0.q); $0.rotate($0.k)
        }
        // When keys are stored, nothing is held back, or the keys' rotation alone, or the queries' rotation last, or nothing.
        let orders: [(Setup) -> Void] = [
            {
                $0.rotate($0.q); $0.rotate($0.k); $0.backend.scale($0.v, rows: Self.rows, by: 1)
            },
            {
                $0.rotate($0.q); $0.backend.scale($0.v, rows: Self.rows, by: 1); $0.rotate($0.k)
            },
            {
                $0.rotate($0.k); $0.rotate($0.q)
            },
            { setup in
                setup.rotate(setup.q)
                setup.rotate(setup.k)
                _ = setup.backend.read(setup.k, rows: Self.rows) { $0.count }
            },
        ]
        for (number, order) in orders.enumerated() {
            #expect(try results(order) == expected, "order \(number)")
        }
        let unrotated = try results { _ in }
        #expect(zip(unrotated, expected).allSatisfy { $0 != $1 })
        #expect(try results { $0.rotate($0.q) } != expected)
        let first = device.validationMessages.first
        #expect(first == nil)
    }

    @Test("Rotations agree with the processor", arguments: [(RotaryPairing.halves, 16), (.adjacent, 5)])
    func parity(_ kind: (pairing: RotaryPairing, pairs: Int)) throws {
        let found = try [CPUBackend(threads: 1) as any Backend, Device.shared.get()].map { backend in
            let setup = try Setup(backend, .f32, kind.pairing, pairs: kind.pairs)
            // Twice: the second rotation must not be joined with the first.
            for x in [setup.q, setup.q, setup.k] { setup.rotate(x) }
            return setup.results().joined().map(Float.init(bitPattern:))
        }
        #expect(zip(found[0], found[1]).allSatisfy { abs($0 - $1) < 1e-5 })
    }
}
