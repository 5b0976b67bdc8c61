// Which weights are on the device already.

import InferGGUF

/// The planes of tensors by their place in a file: an embedding table that is also the output matrix is there once.
struct WeightTables {
    /// A tensor of a file, or rows of it.
    struct Key: Hashable {
        let file: ObjectIdentifier
        let tensor: String
        let rows: Range<Int>
    }
    private struct Entry {
        weak let file: GGUFFile?
        weak let planes: WeightPlanes?
    }
    private var entries: [Key: Entry] = [:]

    /// The planes of a tensor, if they are there.
    subscript(key: Key, of file: GGUFFile) -> WeightPlanes? {
        get {
            // Another file may have come to the same address.
            guard let entry = entries[key], entry.file === file else { return nil }
            return entry.planes
        }
        set {
            entries = entries.filter { $0.value.planes != nil }
            entries[key] = newValue.map { Entry(file: file, planes: $0) }
        }
    }
}
