// Which files ingestion skipped, and why.

import InferSupport

/// Why ingestion passed something over.
public enum SkipReason: String, CaseIterable, Sendable {
    /// A symbolic link; what it points to may lie outside the root.
    case link
    /// A pipe, socket or device.
    case special
    /// A folder of a version control system, a package manager or a build, or the file `.git` that stands for one.
    case folder
    /// More levels of folders than are followed.
    case depth
    /// Ignored by git.
    case ignored
    /// Under rules of git that cannot be known: a file of rules or a configuration that cannot be read, or is too large.
    case unknown
    /// Another extension than those asked for.
    case `extension`
    /// Larger than the limit.
    case large
    /// Without contents.
    case empty
    /// Not text.
    case binary
    /// Written by a program: generated, minified, a lock file, data.
    case generated
    /// Looks like it holds passwords or keys.
    case secret
    /// The same contents as a file before it.
    case duplicate
    /// Cannot be read, or changed into something else meanwhile.
    case unreadable

    /// The reason in words, behind a number of files.
    public var summary: String {
        switch self {
        case .link: "symbolic links"
        case .special: "pipes, sockets and devices"
        case .folder: "folders of tools (such as .git and node_modules)"
        case .depth: "folders nested too deeply"
        case .ignored: "ignored by git"
        case .unknown: "that git may ignore, by rules that cannot be read"
        case .extension: "with other extensions"
        case .large: "larger than the limit"
        case .empty: "empty"
        case .binary: "not text"
        case .generated: "generated, minified or data"
        case .secret: "that look like they hold secrets"
        case .duplicate: "equal to another file"
        case .unreadable: "that cannot be read"
        }
    }
}

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
