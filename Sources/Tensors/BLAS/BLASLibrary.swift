// The BLAS library of the system: opened when it is first needed, never linked, so that a binary runs without it.

package import InferSupport

/// A BLAS library whose `cblas_sgemm` multiplies f32 matrices on the calling thread.
///
/// The thread pool calls it from all of its threads, so the library is told to use one. That is a setting of the whole
/// process: a program that raises it afterwards gets other bits.
package struct BLASLibrary: Sendable {
    /// `cblas_sgemm`.
    package typealias Multiply =
        @convention(c) (
            _ order: Int32, _ transposeA: Int32, _ transposeB: Int32, _ m: Int32, _ n: Int32, _ k: Int32,
            _ alpha: Float, _ a: UnsafePointer<Float>, _ strideA: Int32, _ b: UnsafePointer<Float>, _ strideB: Int32,
            _ beta: Float, _ c: UnsafeMutablePointer<Float>, _ strideC: Int32
        ) -> Void

    #if canImport(Darwin)
    /// The name of the kernel set.
    package static let kernelName = "accelerate"
    private static let file = "/System/Library/Frameworks/Accelerate.framework/Accelerate"
    #else
    /// The name of the kernel set.
    package static let kernelName = "openblas"
    private static let file = "libopenblas.so.0"
    #endif

    /// The library's name with what it says of itself: its version, and the processor that it has chosen its code for.
    package let description: String
    private let multiply: Multiply

    /// A library that has been opened; for tests, a function in its place.
    package init(description: String, multiply: @escaping Multiply) {
        self.description = description
        self.multiply = multiply
    }

    /// The library, or why there is none.
    package static let system = Result { () throws(InferenceError) -> BLASLibrary in
        #if BLAS
        try BLASLibrary(opening: file)
        #else
        throw InferenceError(.invalidArgument, "this program was built without the trait BLAS")
        #endif
    }

    /// Opens a library, which stays open.
    ///
    /// - Throws: ``InferenceError`` with `invalidArgument` if there is no such library, or it is none for BLAS.
    package init(opening file: String) throws(InferenceError) {
        guard let library = dlopen(file, RTLD_NOW | RTLD_LOCAL) else {
            throw InferenceError(
                .invalidArgument,
                "the library \(file) cannot be opened: \(dlerror().map { String(cString: $0) } ?? "unknown error")")
        }
        guard let multiply = dlsym(library, "cblas_sgemm") else {
            throw InferenceError(.invalidArgument, "the library \(file) has no function cblas_sgemm")
        }
        self.multiply = unsafeBitCast(multiply, to: Multiply.self)
        #if canImport(Darwin)
        // BLAS_THREADING_SINGLE_THREADED
        if let set = dlsym(library, "BLASSetThreading") {
            _ = unsafeBitCast(set, to: (@convention(c) (UInt32) -> Int32).self)(1)
        }
        description = "Accelerate"
        #else
        if let set = dlsym(library, "openblas_set_num_threads") {
            unsafeBitCast(set, to: (@convention(c) (Int32) -> Void).self)(1)
        }
        func text(_ function: String) -> String? {
            guard let get = dlsym(library, function) else { return nil }
            typealias Get = @convention(c) () -> UnsafePointer<CChar>?
            return unsafeBitCast(get, to: Get.self)().map { String(cString: $0) }
        }
        // "OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH …"
        let version = text("openblas_get_config")?.split(separator: " ").prefix(2).joined(separator: " ")
        description = (version ?? file) + (text("openblas_get_corename").map { ", core \($0)" } ?? "")
        #endif
    }

    /// c[i][j] = Σ a[i][k] · b[j][k], or c[i][j] + that if `adds`; rows of a and b have `k` elements and are `strideA` and
    /// `strideB` floats apart, rows of c have `n` elements.
    package func multiply(
        _ m: Int, _ n: Int, _ k: Int, _ a: UnsafePointer<Float>, _ strideA: Int, _ b: UnsafePointer<Float>,
        _ strideB: Int, adds: Bool = false, into c: UnsafeMutablePointer<Float>
    ) {
        // 101: row-major; 111: as it is; 112: transposed.
        multiply(
            101, 111, 112, Int32(m), Int32(n), Int32(k), 1, a, Int32(strideA), b, Int32(strideB), adds ? 1 : 0, c,
            Int32(n))
    }
}
