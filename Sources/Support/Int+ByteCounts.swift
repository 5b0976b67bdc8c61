// Sizes of memory, which must not overflow.

extension Int {
    /// The product of non-negative factors, or the largest integer where that is less: a size that no memory has.
    package static func product(_ factors: Int...) -> Int {
        factors.reduce(1) {
            let (product, isTooLarge) = $0.multipliedReportingOverflow(by: $1)
            return isTooLarge ? .max : product
        }
    }

    /// The sum of non-negative terms, or the largest integer where that is less.
    package static func sum(_ terms: [Int]) -> Int {
        terms.reduce(0) {
            let (sum, isTooLarge) = $0.addingReportingOverflow($1)
            return isTooLarge ? .max : sum
        }
    }

    /// A number of bytes for messages, rounded up.
    package var mebibytes: String { "\((self >> 20) + (self & 0xf_ffff == 0 ? 0 : 1)) MiB" }
}
