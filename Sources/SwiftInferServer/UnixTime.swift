// The time of day, as the interfaces write it, and names for answers.

import Foundation

/// Times since 1970.
enum UnixTime {
    /// The seconds since 1970.
    static var now: Int { Int(Date().timeIntervalSince1970) }

    /// The time by ISO 8601 in UTC, with parts of a second.
    static var text: String { Date().formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true)) }

    /// A new name for an answer: `prefix` and 24 letters and digits.
    static func identifier(_ prefix: String) -> String {
        let letters = "abcdefghijklmnopqrstuvwxyz0123456789"
        return prefix + String((0..<24).map { _ in letters.randomElement() ?? "x" })
    }
}
