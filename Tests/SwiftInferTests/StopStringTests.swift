// Stop strings in generated text.

import SwiftInfer
import TestSupport
import Testing

@Suite struct StopStringTests {
    private let prompt = Prompt.text("def fib(n):")

    @Test func everyPieceOfTheTextCanEndIt() async throws {
        let session = try Fixture.model().makeSession(.plain)
        let whole = try await session.respond(to: prompt, options: .exactly(24))
        let scalars = Array(whole.text.unicodeScalars)
        try #require(scalars.count > 8)
        for start in stride(from: 1, to: scalars.count - 4, by: 2) {
            let stop = String(String.UnicodeScalarView(scalars[start..<start + 4]))
            let response = try await session.respond(to: prompt, options: .exactly(24) { $0.stop = [stop] })
            let range = try #require(whole.text.utf8.firstRange(of: stop.utf8))
            #expect(response.statistics.finishReason == .stopString)
            #expect(response.text.utf8.elementsEqual(whole.text.utf8[..<range.lowerBound]))
            #expect(whole.statistics.tokens.starts(with: response.statistics.tokens))
        }
    }

    @Test func textThatAlmostStoppedIsShownAtTheEnd() async throws {
        let session = try Fixture.model().makeSession(.plain)
        let whole = try await session.respond(to: prompt, options: .exactly(24))
        let almost = String(whole.text.unicodeScalars.suffix(3)) + "never"
        let options = GenerationOptions.exactly(24) { $0.stop = [almost] }
        let response = try await session.respond(to: prompt, options: options)
        #expect(response.statistics.finishReason == .length)
        #expect(response.text == whole.text)
    }
}
