// The measured kernels as JSON and as text, and the rates that are recorded.

/// The measured kernels of one implementation, and the measured limits of the machine.
package struct KernelReport: Encodable, Sendable {
    /// The limits of the machine.
    struct Limits: Encodable, Sendable {
        /// 10⁹ products per second, of bytes and of f32, on one thread; nil if no kernels in C run here, or if no products were
        /// measured.
        let byteProducts: Double?, floatProducts: Double?
        /// Reads by working set, on one thread and on several.
        let reads: [Read]

        struct Read: Encodable, Sendable {
            let workingSet: WorkingSet
            let bytes: Int
            let threads: Int
            /// 10⁹ bytes per second, all threads together.
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
    package struct ProductRow: Encodable, Sendable {
        package let type: String
        package let width: Int
        package let workingSet: WorkingSet
        /// Elements of a weight row, and rows of a call.
        let k: Int, rows: Int
        /// Nanoseconds per call: the median and the minimum of the samples.
        package let nanoseconds: Double, leastNanoseconds: Double
        /// 10⁹ bytes of weights and 10⁹ products per second by the minimum time, all threads together.
        let gigabytesPerSecond: Double, gigaproducts: Double
        /// The rate of products divided by the measured peak; nil without a peak.
        let shareOfPeak: Double?
        /// The least time that the peak and the read bandwidth of the working set allow, divided by the minimum time; nil
        /// without a peak.
        let shareOfRoofline: Double?
        /// The largest distance from the Swift kernel's result, in units of the last place; nil if it need not be 0.
        package let ulps: Int?
        /// 10⁹ products per second of the BLAS library; nil without one.
        package var libraryGigaproducts: Double?

        enum CodingKeys: String, CodingKey {
            case type, width, k, rows, ulps
            case workingSet = "working_set", nanoseconds = "ns", leastNanoseconds = "ns_least"
            case gigabytesPerSecond = "gigabytes_per_second", gigaproducts = "gmacs", libraryGigaproducts =
                "library_gmacs"
            case shareOfPeak = "share_of_peak", shareOfRoofline = "share_of_roofline"
        }
    }

    /// A kernel other than a product, with its operands in the second cache.
    package struct RowKernelRow: Encodable, Sendable {
        package let kernel: String
        /// Values that a call processes, or products that it adds.
        let elements: Int
        /// Nanoseconds per call: the median and the minimum of the samples.
        package let nanoseconds: Double, leastNanoseconds: Double
        /// 10⁹ values per second by the minimum time, all threads together.
        let gigaelements: Double
        /// The largest distance from the Swift kernel's result, in units of the last place.
        package let ulps: Int

        enum CodingKeys: String, CodingKey {
            case kernel, elements, ulps
            case nanoseconds = "ns", leastNanoseconds = "ns_least", gigaelements = "gigaelements_per_second"
        }
    }

    let processor: String?
    /// The instruction set of the kernels.
    package let kernels: String
    /// The BLAS library that was measured beside them.
    package let library: String?
    package let threads: Int
    let limits: Limits
    package let products: [ProductRow]
    /// The kernels other than products.
    package let others: [RowKernelRow]

    /// Whether every result that has to have the same bits as the Swift kernel's has them.
    package var isExact: Bool { products.allSatisfy { $0.ulps ?? 0 == 0 } && others.allSatisfy { $0.ulps == 0 } }
}

extension KernelReport {
    /// The measured rates, as ``RateRecord`` keeps them.
    package var rates: [RateRecord.Rate] {
        typealias Rate = RateRecord.Rate
        let peaks = [("peak of bytes", limits.byteProducts), ("peak of floats", limits.floatProducts)]
        return peaks.compactMap { name, rate in rate.map { Rate(name, $0, "G products/s") } }
            + limits.reads.map { read in
                Rate("read \(read.workingSet.rawValue), threads \(read.threads)", read.gigabytesPerSecond, "GB/s")
            }
            + products.map { row in
                Rate("\(row.type), width \(row.width), \(row.workingSet.rawValue)", row.gigaproducts, "G MAC/s")
            } + others.map { Rate($0.kernel, $0.gigaelements, "G elements/s") }
    }

    /// Limits, products, other kernels, and whether all of them are exact.
    package var text: String {
        let exact =
            isExact
            ? products.contains { $0.ulps == nil }
                ? "products have bits of their own; every other result has the same bits as the kernels in Swift"
                : "every result has the same bits as the kernels in Swift"
            : "RESULTS DIFFER from those of the kernels in Swift: see ulps"
        return [limitsText, productsText, othersText, exact + "\n"].filter { !$0.isEmpty }.joined(separator: "\n")
    }

    private var limitsText: String {
        func products(_ rate: Double?) -> String? { rate.map { "\(Format.decimal($0, 0)) G products/s on one thread" } }
        return Format.table(
            [
                ("processor", processor ?? "unknown"),
                ("kernels", "\(kernels), \(threads) \(threads == 1 ? "thread" : "threads")"),
                ("beside them", library),
                ("peak of bytes", products(limits.byteProducts)),
                ("peak of floats", products(limits.floatProducts)),
            ]
                + limits.reads.map { read in
                    let label = read.workingSet == .memory ? "reads of memory" : "reads of \(read.workingSet.rawValue)"
                    let threads = read.threads == 1 ? "one thread" : "\(read.threads) threads"
                    return (label, "\(Format.decimal(read.gigabytesPerSecond, 0)) GB/s on \(threads)")
                })
    }

    private var productsText: String {
        let header = [
            "type", "width", "weights in", "k × rows", "ns", "least", "GB/s", "G MAC/s", "of peak", "of roofline",
            "ulps",
        ]
        let beside = library == nil ? [] : ["library G MAC/s"]
        let rows = products.map { row in
            [
                row.type, "\(row.width)", row.workingSet.rawValue, "\(row.k) × \(row.rows)",
                Format.decimal(row.nanoseconds, 0), Format.decimal(row.leastNanoseconds, 0),
                Format.decimal(row.gigabytesPerSecond, 1), Format.decimal(row.gigaproducts, 1),
                Self.percent(row.shareOfPeak), Self.percent(row.shareOfRoofline), row.ulps.map { "\($0)" } ?? "-",
            ] + (row.libraryGigaproducts.map { [Format.decimal($0, 1)] } ?? [])
        }
        return Self.table(header + beside, rows)
    }

    private var othersText: String {
        let rows = others.map { row in
            [
                row.kernel, "\(row.elements)", Format.decimal(row.nanoseconds, 0),
                Format.decimal(row.leastNanoseconds, 0), Format.decimal(row.gigaelements, 2), "\(row.ulps)",
            ]
        }
        return Self.table(["kernel", "elements", "ns", "least", "G elements/s", "ulps"], rows)
    }

    private static func percent(_ share: Double?) -> String { share.map { "\(Format.decimal($0 * 100, 0)) %" } ?? "-" }

    /// A table below `header`; empty without rows.
    private static func table(_ header: [String], _ rows: [[String]]) -> String {
        rows.isEmpty ? "" : Format.columns([header] + rows)
    }
}

extension KernelReport.Limits {
    /// Converts the limits to 10⁹ per second.
    init(_ limits: MachineLimits) {
        self.init(
            byteProducts: limits.byteProducts.map { $0 / 1e9 }, floatProducts: limits.floatProducts.map { $0 / 1e9 },
            reads: limits.reads.map { read in
                Read(
                    workingSet: read.workingSet, bytes: read.workingSet.bytes(threads: read.threads),
                    threads: read.threads, gigabytesPerSecond: read.rate / 1e9)
            })
    }
}
