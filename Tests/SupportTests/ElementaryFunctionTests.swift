// The polynomial for exp agrees with the C library's function.

import Foundation
import InferSupport
import Testing

@Suite struct ElementaryFunctionTests {
    @Test func agreesWithTheLibrary() {
        var worst = 0.0
        for step in 0...86_000 {
            let x = -Float(step) / 1000
            worst = max(worst, abs(Double(x.exponentialOfNonPositive) / exp(Double(x)) - 1))
        }
        #expect(worst < 0x1p-21)
        #expect(worst > 0)
    }

    @Test func ends() {
        #expect(Float(0).exponentialOfNonPositive == 1)
        #expect(Float(-0.0).exponentialOfNonPositive == 1)
        #expect(Float(-86.001).exponentialOfNonPositive == 0)
        #expect((-Float.infinity).exponentialOfNonPositive == 0)
        #expect((-Float.leastNonzeroMagnitude).exponentialOfNonPositive == 1)
    }
}
