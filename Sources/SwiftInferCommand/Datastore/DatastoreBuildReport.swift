// What `datastore build` says it did.

import InferCodeSwift

/// The outcome of building a datastore.
struct DatastoreBuildReport: Encodable {
    /// What was left out for one reason.
    struct Skipped: Encodable {
        let reason: String
        let count: Int
        let examples: [String]
        /// The reason for people.
        let summary: String

        enum CodingKeys: String, CodingKey { case reason, count, examples }
    }

    let path: String
    let documents: Int
    let tokens: Int
    let sourceBytes: Int
    let fileBytes: Int
    let seconds: Double
    let skipped: [Skipped]

    enum CodingKeys: String, CodingKey {
        case path, documents, tokens, seconds, skipped
        case sourceBytes = "source_bytes", fileBytes = "file_bytes"
    }

    /// The outcome of building `store` from files of `sourceBytes` bytes.
    init(_ store: Datastore, sourceBytes: Int, skipped report: SkipReport, duration: Duration) {
        path = store.path
        documents = store.documentCount
        tokens = store.tokenCount
        self.sourceBytes = sourceBytes
        fileBytes = store.byteCount
        seconds = duration / .seconds(1)
        skipped = SkipReason.allCases.compactMap { reason in
            report.entries[reason].map {
                Skipped(reason: reason.rawValue, count: $0.count, examples: $0.examples, summary: reason.summary)
            }
        }
    }

    /// The outcome for people.
    var text: String {
        let rate = seconds > 0 ? Format.decimal(Double(sourceBytes) / seconds / 1e6, 1) : "0"
        var text = "\(path): \(documents) documents, \(tokens) tokens, \(Format.bytes(fileBytes)) "
        text += "from \(Format.bytes(sourceBytes)) in \(Format.decimal(seconds, 2)) s (\(rate) MB/s)\n"
        for entry in skipped {
            let names = entry.examples.joined(separator: ", ") + (entry.count > entry.examples.count ? ", …" : "")
            text += "left out \(entry.count) \(entry.summary): \(names)\n"
        }
        return text
    }
}
