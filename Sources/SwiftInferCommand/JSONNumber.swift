// A floating-point number in JSON output.

/// A number that is encoded as `null` when it is infinite or not a number, which JSON cannot say otherwise.
struct JSONNumber: Encodable, ExpressibleByFloatLiteral {
    let value: Double

    init(_ value: Double) { self.value = value }
    init(_ value: Float) { self.value = Double(value) }
    init(floatLiteral value: Double) { self.value = value }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        if value.isFinite { try container.encode(value) } else { try container.encodeNil() }
    }
}
