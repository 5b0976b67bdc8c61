// What ingestion passed over.

import InferSupport

/// Numbers of files and folders passed over, and a few examples for each reason.
public struct SkipReport: Sendable {
    /// What was passed over for one reason.
    public struct Entry: Sendable {
        /// How many files or folders.
        public internal(set) var count = 0
        /// The first few, as paths relative to their root, fit for a terminal.
        public internal(set) var examples: [String] = []
    }

    private static let exampleLimit = 5

    /// What was passed over, by reason.
    public private(set) var entries: [SkipReason: Entry] = [:]

    /// Number of files and folders passed over.
    public var count: Int { entries.values.reduce(0) { $0 + $1.count } }

    mutating func add(_ reason: SkipReason, _ path: some Collection<UInt8>) {
        entries[reason, default: Entry()].count += 1
        guard entries[reason, default: Entry()].examples.count < Self.exampleLimit else { return }
        entries[reason, default: Entry()].examples.append(String(decoding: path, as: UTF8.self).printable)
    }

    mutating func merge(_ other: SkipReport) {
        for (reason, entry) in other.entries {
            entries[reason, default: Entry()].count += entry.count
            let room = Self.exampleLimit - entries[reason, default: Entry()].examples.count
            entries[reason, default: Entry()].examples += entry.examples.prefix(room)
        }
    }
}
