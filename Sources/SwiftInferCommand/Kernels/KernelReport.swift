// What `bench kernels` prints.

/// The measured kernels of one implementation, and the machine's measured limits.
struct KernelReport: Encodable {
    /// What the processor can do at most.
    struct Limits: Encodable {
        /// Thousand million products a second, of bytes and of f32, on one thread; null for the kernels in Swift.
        let byteProducts: Double?, floatProducts: Double?
        /// Thousand million bytes read a second, by working set: on one thread, and on all at once.
        let reads: [Read]

        struct Read: Encodable {
            let workingSet: WorkingSet
            let bytes: Int
            let threads: Int
            let gigabytesPerSecond: Double

            enum CodingKeys: String, CodingKey {
                case bytes, threads
                case workingSet = "working_set", gigabytesPerSecond = "gigabytes_per_second"
            }
        }

        enum CodingKeys: String, CodingKey {
            case reads
            case byteProducts = "byte_gmacs", floatProducts = "float_gmacs"
        }
    }

    /// A product kernel at one width and working set.
    struct ProductRow: Encodable {
        let type: String
        let width: Int
        let workingSet: WorkingSet
        /// Elements of a weight row and rows of a call.
        let k: Int, rows: Int
        /// Nanoseconds a call takes, the median and the least of the samples.
        let nanoseconds: Double, leastNanoseconds: Double
        /// Thousand million bytes of weights, and of products, a second by the least time; all threads together.
        let gigabytesPerSecond: Double, gigaproducts: Double
        /// The rate of products over the measured peak; null without one.
        let shareOfPeak: Double?
        /// The time that peak and read bandwidth of this working set allow, over the time taken; null without a peak.
        let shareOfRoofline: Double?
        /// The largest distance from the Swift kernels' result, in units of the last place.
        let ulps: Int

        enum CodingKeys: String, CodingKey {
            case type, width, k, rows, ulps
            case workingSet = "working_set", nanoseconds = "ns", leastNanoseconds = "ns_least"
            case gigabytesPerSecond = "gigabytes_per_second", gigaproducts = "gmacs"
            case shareOfPeak = "share_of_peak", shareOfRoofline = "share_of_roofline"
        }
    }

    /// Another kernel, with its operands in the second cache.
    struct RowKernelRow: Encodable {
        let kernel: String
        /// Values a call works on, or products it adds.
        let elements: Int
        let nanoseconds: Double, leastNanoseconds: Double
        /// Thousand million values a second by the least time; all threads together.
        let gigaelements: Double
        let ulps: Int

        enum CodingKeys: String, CodingKey {
            case kernel, elements, ulps
            case nanoseconds = "ns", leastNanoseconds = "ns_least", gigaelements = "gigaelements_per_second"
        }
    }

    let processor: String?
    let kernels: String
    let threads: Int
    let limits: Limits
    let products: [ProductRow]
    let others: [RowKernelRow]

    /// Whether every kernel gave the Swift kernels' bits.
    var isExact: Bool { products.allSatisfy { $0.ulps == 0 } && others.allSatisfy { $0.ulps == 0 } }
}
