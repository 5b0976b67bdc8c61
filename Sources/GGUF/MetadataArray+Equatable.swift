// Equality of metadata arrays.

extension MetadataArray: Equatable {
    /// Whether both hold the same bytes as elements of the same type.
    public static func == (left: MetadataArray, right: MetadataArray) -> Bool {
        left.elementType == right.elementType && left.count == right.count && left.encoded.elementsEqual(right.encoded)
    }
}
