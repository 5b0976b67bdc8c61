// The kernels that the CPU backend is made of, the choice of an implementation, and the operands that they share.

package import InferGGUF
package import InferSupport

/// One implementation of every kernel. `ckernels.h` states the formulas, the shapes and the order of float operations,
/// for the C kernels and for their Swift twins. All implementations give the same bits, with one exception: products by a
/// BLAS library (``BLASKernels``).
package protocol KernelSet: Sendable {
    /// The name in the output of `doctor` and of benchmarks, such as `avx2`.
    var name: String { get }

    /// Whether products give the bits of the kernels in Swift.
    var hasReferenceBits: Bool { get }

    /// One line for somebody who runs kernels in Swift; nil for tuned ones.
    var warning: String? { get }

    /// The product kernel for weights of a type; nil if the type is not supported.
    func weights(_ type: TensorType) -> WeightKernel?

    /// Quantises a row of `count` activations into blocks of 32 or 256.
    func quantize(_ count: Int, _ x: UnsafePointer<Float>, as format: InputFormat, into blocks: UnsafeMutableRawPointer)

    /// Computes the scores of queries against panels of keys in the cache's type.
    func score(_ operands: Scoring, _ type: KVCacheType)

    /// Adds weighted values in the cache's type to the outputs of several queries.
    func accumulate(_ operands: Accumulation, _ type: KVCacheType)

    /// Replaces scores by softmax numerators; returns their sum. Without a sink, `sink` is −∞; without a cap, `cap` is
    /// 0.
    func softmax(_ count: Int, _ scores: UnsafeMutablePointer<Float>, scale: Float, cap: Float, sink: Float) -> Float

    /// RMS norm of `count` values.
    func rmsNorm(
        _ count: Int, _ x: UnsafePointer<Float>, _ weight: UnsafePointer<Float>, epsilon: Float,
        into y: UnsafeMutablePointer<Float>)

    /// Layer norm of `count` values.
    func layerNorm(
        _ count: Int, _ x: UnsafePointer<Float>, _ weight: UnsafePointer<Float>, _ bias: UnsafePointer<Float>?,
        epsilon: Float, into y: UnsafeMutablePointer<Float>)

    /// Rotates pairs in place by interleaved cosines and sines.
    func rotate(
        _ pairs: Int, _ x: UnsafeMutablePointer<Float>, by rotation: UnsafePointer<Float>, _ pairing: RotaryPairing)

    /// y = activation(gate) ⊙ up; activation(gate) if `up` is nil.
    func gate(
        _ count: Int, _ gate: UnsafePointer<Float>, _ up: UnsafePointer<Float>?, _ activation: Activation,
        into y: UnsafeMutablePointer<Float>)

    /// x = cap · tanh(x / cap)
    func softCap(_ count: Int, _ x: UnsafeMutablePointer<Float>, cap: Float)

    /// y += scale · x
    func addScaled(_ count: Int, _ x: UnsafePointer<Float>, scale: Float, to y: UnsafeMutablePointer<Float>)

    /// x = scale · x
    func scale(_ count: Int, _ x: UnsafeMutablePointer<Float>, by scale: Float)

    /// The maximum of each 64 values of x; the last block may be shorter. NaN is ignored.
    func maxima(_ count: Int, _ x: UnsafePointer<Float>, into maxima: UnsafeMutablePointer<Float>)

    /// Stores a head's value in the cache's type.
    func store(_ count: Int, _ x: UnsafePointer<Float>, as type: KVCacheType, into y: UnsafeMutableRawPointer)

    /// Stores a head's key as number `lane` of a panel of sixteen, in the cache's type.
    func storeKey(
        _ count: Int, _ x: UnsafePointer<Float>, as type: KVCacheType, into panel: UnsafeMutableRawPointer, lane: Int)

    /// y[c] = Σ_j weights[j · count + c] · inputs[j][c] + bias[c], j ascending; SiLU of that if `activates`.
    func convolve(
        _ count: Int, _ inputs: UnsafeBufferPointer<UnsafePointer<Float>>, _ weights: UnsafePointer<Float>,
        _ bias: UnsafePointer<Float>?, activates: Bool, into y: UnsafeMutablePointer<Float>)

    /// Takes one row into some value columns of a head's state, and reads from it: see ``ScanParameters``.
    func scan(_ operands: Scan)

    /// exp(x), elementwise, as the other kernels compute it.
    func exp(_ count: Int, _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>)

    /// tanh(x), elementwise, as the other kernels compute it; for tests.
    func tanh(_ count: Int, _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>)
}

extension KernelSet {
    package var hasReferenceBits: Bool { true }
    package var warning: String? { nil }
}

/// Which implementation of the kernels a CPU backend uses.
///
/// No choice measures anything: two runs on one machine would otherwise differ in their bits, by chance.
package enum KernelChoice: Sendable {
    /// The fastest one that this processor can run in C. Products that are in none of them, or all products of a processor
    /// without any, are those of a BLAS library if there is one, otherwise the scalar ones.
    case automatic
    /// The variant of that name, such as `avx2`; the scalar kernels if this processor cannot run it.
    case named(String)
    /// Products of a BLAS library.
    case blas
    /// The scalar kernels in Swift.
    case reference

    /// The kernels of this choice.
    ///
    /// - Throws: ``InferenceError`` with `invalidArgument` for ``blas`` without a library.
    package func makeKernels() throws(InferenceError) -> any KernelSet {
        switch self {
        case .automatic: TunedKernels(usesBLAS: true) ?? (try? BLASKernels()) ?? ReferenceKernels()
        case .named(let name): TunedKernels(name) ?? ReferenceKernels()
        case .blas: try BLASKernels()
        case .reference: ReferenceKernels()
        }
    }
}

// MARK: Operands

/// The form in which a product kernel reads its input rows.
package enum InputFormat: Sendable, CaseIterable {
    /// f32 values.
    case float
    /// Blocks of 32: ``Block32``.
    case blocks32
    /// Blocks of 256: ``Block256``.
    case blocks256

    /// Byte offsets in `si_input_32`; the scale comes first.
    package enum Block32 {
        package static let scaledSum = 4, sum = 8, values = 12, byteCount = 44
    }

    /// Byte offsets in `si_input_256`; the scale comes first.
    package enum Block256 {
        package static let sums = 4, sums32 = 36, values = 52, byteCount = 308
    }

    /// Bytes of a row of `columns` values.
    package func rowBytes(_ columns: Int) -> Int {
        switch self {
        case .float: columns * 4
        case .blocks32: (columns + 31) / 32 * Block32.byteCount
        case .blocks256: (columns + 255) / 256 * Block256.byteCount
        }
    }
}

/// scores[q][16p + i] = Σ_d queries[q][d] · keys[p][d][i], for `panels` p of sixteen keys.
package struct Scoring {
    /// Length of a key.
    package var dimension: Int
    /// Number of panels and the address of the first; ``KernelSet/storeKey(_:_:as:into:lane:)`` fills them. They are
    /// contiguous.
    package var panels: Int, keys: UnsafeRawPointer
    /// Number of queries and their rows, `queryStride` bytes apart: blocks of 32 if keys are q8_0, else f32.
    package var count: Int, queries: UnsafeRawPointer, queryStride: Int
    /// The results, in rows `scoreStride` floats apart.
    package var scores: UnsafeMutablePointer<Float>, scoreStride: Int

    package init(
        dimension: Int, panels: Int, keys: UnsafeRawPointer, count: Int, queries: UnsafeRawPointer, queryStride: Int,
        scores: UnsafeMutablePointer<Float>, scoreStride: Int
    ) {
        self.dimension = dimension
        self.panels = panels
        self.keys = keys
        self.count = count
        self.queries = queries
        self.queryStride = queryStride
        self.scores = scores
        self.scoreStride = scoreStride
    }
}

/// outputs[q][d] += Σ_j weights[q][j] · values[j][d], j ascending.
package struct Accumulation {
    /// Length of a value.
    package var dimension: Int
    /// Number of values and their rows, `valueStride` bytes apart. Value j is row `rows[j]`, or row j if `rows` is nil.
    package var count: Int, values: UnsafeRawPointer, valueStride: Int, rows: UnsafePointer<Int32>?
    /// Number of queries; rows of weights and of outputs are that many floats apart.
    package var queries: Int, weights: UnsafePointer<Float>, weightStride: Int
    package var outputs: UnsafeMutablePointer<Float>, outputStride: Int

    package init(
        dimension: Int, count: Int, values: UnsafeRawPointer, valueStride: Int, rows: UnsafePointer<Int32>? = nil,
        queries: Int, weights: UnsafePointer<Float>, weightStride: Int, outputs: UnsafeMutablePointer<Float>,
        outputStride: Int
    ) {
        self.dimension = dimension
        self.count = count
        self.values = values
        self.valueStride = valueStride
        self.rows = rows
        self.queries = queries
        self.weights = weights
        self.weightStride = weightStride
        self.outputs = outputs
        self.outputStride = outputStride
    }
}

/// M ← decay ⊙ M + k dᵀ for up to 32 value columns of a head's state, then y = scale · Mᵀ q.
package struct Scan {
    /// Length of a key.
    package var keyLength: Int
    /// Value columns, at most 32.
    package var count: Int
    /// One or two panels `[key][16]`; the lanes beyond `count` are of no account.
    package var state: UnsafeMutablePointer<Float>
    package var key: UnsafePointer<Float>
    /// `keyLength` factors, or one.
    package var decay: UnsafePointer<Float>, decaysPerKey: Bool
    package var value: UnsafePointer<Float>
    /// By the delta rule, its β; nil for a linear recurrence.
    package var beta: Float?
    /// Nil where nothing is read.
    package var query: UnsafePointer<Float>?, scale: Float
    package var output: UnsafeMutablePointer<Float>?

    package init(
        keyLength: Int, count: Int, state: UnsafeMutablePointer<Float>, key: UnsafePointer<Float>,
        decay: UnsafePointer<Float>, decaysPerKey: Bool, value: UnsafePointer<Float>, beta: Float?,
        query: UnsafePointer<Float>? = nil, scale: Float = 1, output: UnsafeMutablePointer<Float>? = nil
    ) {
        (self.keyLength, self.count, self.state) = (keyLength, count, state)
        (self.key, self.decay, self.decaysPerKey) = (key, decay, decaysPerKey)
        (self.value, self.beta) = (value, beta)
        (self.query, self.scale, self.output) = (query, scale, output)
    }
}
