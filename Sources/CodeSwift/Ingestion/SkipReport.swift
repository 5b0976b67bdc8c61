// Which files ingestion skipped, and why.

import InferSupport

/// Why ingestion skipped a file or folder.
public enum SkipReason: String, CaseIterable, Sendable {
    /// A symbolic link. Its target may be outside the root.
    case link
    /// A pipe, socket or device.
    case special
    /// A folder of a version control system, a package manager or a build; or a `.git` file.
    case folder
    /// Too many levels of folders.
    case depth
    /// Ignored by git.
    case ignored
    /// Git's rules for it are unknown: a rule or configuration file cannot be read, or is too large.
    case unknown
    /// The extension was not requested.
    case `extension`
    /// Larger than the limit.
    case large
    /// An empty file.
    case empty
    /// Not text.
    case binary
    /// Generated, minified, a lock file, or data.
    case generated
    /// Seems to contain passwords or keys.
    case secret
    /// Equal to an earlier file.
    case duplicate
    /// Cannot be read, or was replaced meanwhile.
    case unreadable

    /// The reason as text that follows a number of files.
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

/// How many files and folders were skipped for each reason, with a few examples.
public struct SkipReport: Sendable {
    /// The files and folders skipped for one reason.
    public struct Entry: Sendable {
        /// Their number.
        public internal(set) var count = 0
        /// The first few: paths relative to the root, with control characters escaped.
        public internal(set) var examples: [String] = []
    }

    private static let exampleLimit = 5

    /// The skipped files and folders by reason.
    public private(set) var entries: [SkipReason: Entry] = [:]

    /// Number of all files and folders skipped.
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
