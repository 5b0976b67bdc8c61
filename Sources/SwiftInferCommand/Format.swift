// Sizes and counts in words.

/// Formatting of numbers for people.
enum Format {
    /// A size in bytes, such as `93.8 MiB`.
    static func bytes(_ count: Int) -> String {
        scaled(Double(count), step: 1024, units: ["bytes", "KiB", "MiB", "GiB", "TiB"])
    }

    /// A count, such as `135 million`.
    static func count(_ count: Int) -> String {
        scaled(Double(count), step: 1000, units: ["", "thousand", "million", "billion"])
    }

    /// A number with `digits` decimals.
    static func decimal(_ value: Double, _ digits: Int) -> String {
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
    static func hexadecimal(_ value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// `text` with blanks before it up to `width` characters.
    static func right(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }

    /// `text` with blanks after it up to `width` characters.
    static func left(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    /// A two-column table; rows without a value are left out.
    static func table(_ rows: [(label: String, value: String?)]) -> String {
        let width = rows.reduce(0) { max($0, $1.label.count) }
        return rows.map { row in row.value.map { left(row.label, width + 2) + $0 + "\n" } ?? "" }.joined()
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
