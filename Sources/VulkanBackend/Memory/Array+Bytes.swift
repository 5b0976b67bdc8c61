// An array's bytes, for bodies that throw this package's error.

import InferSupport

extension Array where Element: BitwiseCopyable {
    /// Lends the elements' bytes to `body`.
    func withBytes<R>(
        _ body: (UnsafeRawBufferPointer) throws(InferenceError) -> R
    ) throws(InferenceError) -> R {
        let result: Result<R, InferenceError> = withUnsafeBytes { bytes in
            Result { () throws(InferenceError) in try body(bytes) }
        }
        return try result.get()
    }
}
