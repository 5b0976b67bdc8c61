// Generates with and without a drafter of its own: OwnDrafter MODEL TEXT

import Foundation
import SwiftInfer

/// Proposes how the last line went on that has the last two tokens.
final class LineDrafter: Drafter {
    let name = "lines"
    private let newline: Set<TokenID>
    private var text: [TokenID] = []

    /// A drafter for the tokens of `model`.
    init(_ model: Model) {
        let tokenizer = model.tokenizer
        newline = Set((0..<TokenID(tokenizer.count)).filter { tokenizer.bytes(of: $0).contains(UInt8(ascii: "\n")) })
    }

    func reset(to tokens: [TokenID]) { text = tokens }

    func observe(_ outcome: DraftOutcome) { text += outcome.tokens }

    func draft(into tree: inout DraftTree, limit: Int) {
        guard text.count > 2 else { return }
        let last = text.suffix(2)
        guard let place = (2..<text.count).last(where: { text[($0 - 2)..<$0].elementsEqual(last) }) else { return }
        let line = text[place...].prefix { !newline.contains($0) }
        // Each token is as probable as those before it, times 0.8.
        tree.insert(chain: line.prefix(limit), acceptance: 0.8)
    }
}

let arguments = CommandLine.arguments
guard arguments.count == 3 else {
    print("usage: OwnDrafter MODEL TEXT")
    exit(64)
}
do {
    let model = try Model(contentsOf: arguments[1])
    let plain = try model.makeSession(.init(drafter: .none))
    let drafted = try model.makeSession(.init(drafter: DrafterChoice("lines") { LineDrafter($0) }))
    let options = GenerationOptions(maximumTokens: 120)
    let expected = try await plain.respond(to: .text(arguments[2]), options: options)
    let found = try await drafted.respond(to: .text(arguments[2]), options: options)
    let (count, steps) = (found.statistics.tokens.count, found.statistics.steps)
    print(found.text)
    print("\(count) tokens in \(steps) steps instead of \(expected.statistics.steps)")
    guard found.text == expected.text else {
        print("a draft has changed the text")
        exit(1)
    }
} catch {
    print(error)
    exit(1)
}
