// Numbers, sizes and tables as text, and numbers in JSON.

/// Formatting of numbers and tables for people.
package enum Format {
    /// A size in bytes, such as `93.8 MiB`.
    package static func bytes(_ count: Int) -> String {
        scaled(Double(count), step: 1024, units: ["bytes", "KiB", "MiB", "GiB", "TiB"])
    }

    /// A count, such as `135 million`.
    package static func count(_ count: Int) -> String {
        scaled(Double(count), step: 1000, units: ["", "thousand", "million", "billion"])
    }

    /// A number with `digits` decimals.
    package static func decimal(_ value: Double, _ digits: Int) -> String {
        guard value.isFinite else { return "\(value)" }
        var scale = 1.0
        for _ in 0..<digits { scale *= 10 }
        let magnitude = (abs(value) * scale).rounded()
        guard magnitude < 9e15 else { return "\(value)" }
        let units = Int(magnitude)
        let sign = value < 0 && units > 0 ? "-" : ""
        guard digits > 0 else { return "\(sign)\(units)" }
        let fraction = String(units % Int(scale))
        return "\(sign)\(units / Int(scale))." + String(repeating: "0", count: digits - fraction.count) + fraction
    }

    /// Sixteen hexadecimal digits.
    package static func hexadecimal(_ value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// `text`, padded with blanks before it to `width` characters.
    package static func right(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }

    /// `text`, padded with blanks after it to `width` characters.
    package static func left(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    /// A table of labels and values. Rows without a value are left out.
    package static func table(_ rows: [(label: String, value: String?)]) -> String {
        let width = rows.reduce(0) { max($0, $1.label.count) }
        return rows.map { row in row.value.map { left(row.label, width + 2) + $0 + "\n" } ?? "" }.joined()
    }

    /// A table whose first column is aligned left and whose other columns are aligned right, two blanks apart. Every line has
    /// the same number of cells.
    package static func columns(_ lines: [[String]]) -> String {
        let widths = (lines.first ?? []).indices.map { column in
            lines.reduce(0) { max($0, $1[column].count) }
        }
        return lines.map { cells in
            zip(cells, widths).enumerated().map { column, cell in
                column == 0 ? left(cell.0, cell.1) : right(cell.0, cell.1)
            }.joined(separator: "  ") + "\n"
        }.joined()
    }

    private static func scaled(_ value: Double, step: Double, units: [String]) -> String {
        var value = value
        var unit = 0
        while value >= step, unit + 1 < units.count {
            value /= step
            unit += 1
        }
        let number = decimal(value, unit == 0 || value >= 100 ? 0 : 1)
        return units[unit].isEmpty ? number : "\(number) \(units[unit])"
    }
}

extension Duration {
    /// The duration in seconds.
    package var seconds: Double { self / .seconds(1) }
    /// The duration in milliseconds.
    package var milliseconds: Double { self / .milliseconds(1) }
}

/// A number that is encoded as `null` if it is infinite or NaN, which JSON has no notation for.
package struct JSONNumber: Encodable, ExpressibleByFloatLiteral, Sendable {
    package let value: Double

    /// Wraps `value`.
    package init(_ value: Double) { self.value = value }
    /// Wraps `value`.
    package init(_ value: Float) { self.value = Double(value) }
    /// Wraps a literal.
    package init(floatLiteral value: Double) { self.value = value }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        if value.isFinite { try container.encode(value) } else { try container.encodeNil() }
    }
}
