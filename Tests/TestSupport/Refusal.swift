// Checks that a call fails with a certain error.

package import InferSupport
package import Testing

/// Expects `body` to throw an ``InferenceError`` of that code whose message contains every one of `phrases`.
package func expectRefusal<R>(
    _ code: InferenceError.Code, _ phrases: String..., sourceLocation: SourceLocation = #_sourceLocation,
    by body: () throws -> R
) {
    check(
        #expect(throws: InferenceError.self, sourceLocation: sourceLocation) { try body() }, code, phrases,
        sourceLocation)
}

/// The same for a call that suspends.
package func expectRefusal<R>(
    _ code: InferenceError.Code, _ phrases: String..., sourceLocation: SourceLocation = #_sourceLocation,
    by body: () async throws -> R
) async {
    check(
        await #expect(throws: InferenceError.self, sourceLocation: sourceLocation) { try await body() }, code, phrases,
        sourceLocation)
}

private func check(
    _ error: InferenceError?, _ code: InferenceError.Code, _ phrases: [String], _ sourceLocation: SourceLocation
) {
    guard let error else { return }
    #expect(error.code == code, "\(error)", sourceLocation: sourceLocation)
    for phrase in phrases {
        #expect(error.message.contains(phrase), "\(error) lacks \(phrase)", sourceLocation: sourceLocation)
    }
}
