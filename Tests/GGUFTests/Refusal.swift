// What every refusal must look like.

import InferSupport
import Testing

/// Expects `body` to throw an ``InferenceError`` of that code whose message holds every one of `phrases`.
func expectRefusal(
    _ code: InferenceError.Code, _ phrases: String..., sourceLocation: SourceLocation = #_sourceLocation,
    by body: () throws -> Void
) {
    let error = #expect(throws: InferenceError.self, sourceLocation: sourceLocation) { try body() }
    guard let error else { return }
    #expect(error.code == code, "\(error)", sourceLocation: sourceLocation)
    for phrase in phrases {
        #expect(error.message.contains(phrase), "\(error) lacks \(phrase)", sourceLocation: sourceLocation)
    }
}

/// Expects the file to be refused as malformed, with a message that names it, the culprit, and an offset: exactly
/// `position`, or any within the file.
func expectMalformed(
    _ file: RawGGUF, _ phrases: String..., at position: Int? = nil, sourceLocation: SourceLocation = #_sourceLocation
) {
    let error = #expect(throws: InferenceError.self, sourceLocation: sourceLocation) { _ = try file.open() }
    guard let error else { return }
    #expect(error.code == .malformedModel, "\(error)", sourceLocation: sourceLocation)
    for phrase in phrases + ["test.gguf"] {
        #expect(error.message.contains(phrase), "\(error) lacks \(phrase)", sourceLocation: sourceLocation)
    }
    let found = offset(in: error.message)
    #expect(found != nil, "\(error) has no offset", sourceLocation: sourceLocation)
    guard let found else { return }
    #expect((0...file.bytes.count).contains(found), "\(error)", sourceLocation: sourceLocation)
    if let position { #expect(found == position, "\(error)", sourceLocation: sourceLocation) }
}

/// The number at the end of a message, `… (at byte N)`.
func offset(in message: String) -> Int? {
    let digits = message.dropLast().reversed().prefix { $0.isNumber }
    let number = String(digits.reversed())
    return message.hasSuffix("(at byte \(number))") ? Int(number) : nil
}
