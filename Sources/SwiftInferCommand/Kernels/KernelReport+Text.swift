// The tables that `bench kernels` prints for people.

extension KernelReport {
    /// Limits, products, other kernels, and whether all of them are exact.
    var text: String {
        let exact =
            isExact
            ? "every result has the same bits as the kernels in Swift"
            : "RESULTS DIFFER from those of the kernels in Swift: see ulps"
        return [limitsText, productsText, othersText, exact + "\n"].joined(separator: "\n")
    }

    private var limitsText: String {
        func products(_ rate: Double?) -> String? { rate.map { "\(Format.decimal($0, 0)) G products/s on one thread" } }
        return Format.table(
            [
                ("processor", processor ?? "unknown"),
                ("kernels", "\(kernels), \(threads) \(threads == 1 ? "thread" : "threads")"),
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
        let rows = products.map { row in
            [
                row.type, "\(row.width)", row.workingSet.rawValue, "\(row.k) × \(row.rows)",
                Format.decimal(row.nanoseconds, 0), Format.decimal(row.leastNanoseconds, 0),
                Format.decimal(row.gigabytesPerSecond, 1), Format.decimal(row.gigaproducts, 1),
                Self.percent(row.shareOfPeak), Self.percent(row.shareOfRoofline), "\(row.ulps)",
            ]
        }
        return Self.table(header, rows)
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

    /// Columns as wide as they need to be, the first to the left and the others to the right.
    private static func table(_ header: [String], _ rows: [[String]]) -> String {
        let widths = header.indices.map { column in
            ([header] + rows).reduce(0) { max($0, $1[column].count) }
        }
        return ([header] + rows).map { cells in
            zip(cells, widths).enumerated().map { column, cell in
                column == 0 ? Format.left(cell.0, cell.1) : Format.right(cell.0, cell.1)
            }.joined(separator: "  ") + "\n"
        }.joined()
    }
}

extension KernelReport.Limits {
    /// The limits in thousand millions a second.
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
