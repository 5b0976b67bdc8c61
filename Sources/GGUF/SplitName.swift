// How the files of a split model are named and checked against each other.

import InferSupport

/// The naming rule of split models, `NAME-00001-of-0000N.gguf`, and the metadata that goes with it.
enum SplitName {
    /// More parts than any real model has; bounds the work a hostile count can cause.
    private static let maximumParts = 9_999

    /// The paths of parts 2…N of the model whose first file is at `path`; none for a model in one file.
    static func otherParts(of path: String, metadata: Metadata) throws(InferenceError) -> [String] {
        guard let count = try metadata.integer("split.count") else { return [] }
        guard (0...maximumParts).contains(count) else {
            throw metadata.malformed("split.count", "is \(count), out of range")
        }
        // Merging the parts of a split model leaves a count of 0.
        guard count > 1 else { return [] }
        let number = try metadata.integer("split.no") ?? 0
        let suffix = ending(1, of: count)
        guard number == 0 else {
            guard (1..<count).contains(number) else {
                throw metadata.malformed("split.no", "is \(number), out of range for a model of \(count) parts")
            }
            let own = ending(number + 1, of: count)
            let first = path.hasSuffix(own) ? path.dropLast(own.count) + suffix : "the one whose name ends in \(suffix)"
            throw InferenceError(
                .unreadableFile,
                "\(path) is part \(number + 1) of \(count) of a split model; open its first part instead, \(first)")
        }
        // The name is all that leads to the other parts. To guess at them could join parts of different models.
        guard path.hasSuffix(suffix) else {
            throw InferenceError(
                .unreadableFile,
                "\(path) is part 1 of \(count) of a split model, whose others are found by its name: rename it to "
                    + "NAME\(suffix), beside NAME\(ending(2, of: count)) and so on")
        }
        let stem = path.dropLast(suffix.count)
        return (2...count).map { stem + ending($0, of: count) }
    }

    /// Checks that each part says which it is, and that together they hold as many tensors as the first announces.
    static func check(parts: [FilePart], tensorCount: Int) throws(InferenceError) {
        guard parts.count > 1 else { return }
        for (index, part) in parts.enumerated() {
            try expect("split.no", is: index, in: part)
            try expect("split.count", is: parts.count, in: part)
        }
        if let announced = try parts[0].metadata.integer("split.tensors.count"), announced != tensorCount {
            throw parts[0].metadata.malformed(
                "split.tensors.count", "is \(announced), the parts hold \(tensorCount) tensors")
        }
    }

    private static func expect(_ key: String, is expected: Int, in part: FilePart) throws(InferenceError) {
        guard let value = try part.metadata.integer(key) else {
            throw InferenceError(
                .malformedModel, "\(part.file.path): metadata key \(key) is missing, expected \(expected)")
        }
        guard value == expected else { throw part.metadata.malformed(key, "is \(value), expected \(expected)") }
    }

    private static func ending(_ number: Int, of count: Int) -> String {
        "-\(padded(number))-of-\(padded(count)).gguf"
    }

    private static func padded(_ number: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 5 - digits.count)) + digits
    }
}
