// How many bytes a tensor takes, computed so that no shape can overflow.

extension TensorType {
    /// Why no tensor can have a certain type and shape: the end of a sentence that begins with the tensor's name.
    struct ShapeFault: Error {
        let reason: String
    }

    /// Bytes of a tensor of this type whose extents, fastest-varying first, are `shape`; 0 when one of them is 0.
    func byteCount(ofShape shape: [Int]) throws(ShapeFault) -> Int {
        guard isKnown else { throw ShapeFault(reason: "has unknown type \(rawValue)") }
        guard let columns = shape.first, shape.count <= 4 else {
            throw ShapeFault(reason: "has \(shape.count) dimensions")
        }
        guard columns.isMultiple(of: blockSize) else {
            throw ShapeFault(reason: "has rows of \(columns), no multiple of the \(blockSize) of a \(self) block")
        }
        // Elements are counted as well: there must be an Int for them even where blocks make the bytes fewer.
        var elements = 1
        for extent in shape {
            guard extent >= 0 else { throw ShapeFault(reason: "has a dimension of \(extent)") }
            // Beside an extent of 0 the others must fit all the same: rows are counted without it.
            let (product, overflow) = elements.multipliedReportingOverflow(by: max(1, extent))
            guard !overflow else { throw ShapeFault(reason: "has a shape, \(shape), whose product overflows") }
            elements = product
        }
        let (bytes, overflow) = (elements / blockSize).multipliedReportingOverflow(by: blockBytes)
        guard !overflow else { throw ShapeFault(reason: "has a shape, \(shape), whose size in bytes overflows") }
        return shape.contains(0) ? 0 : bytes
    }
}
