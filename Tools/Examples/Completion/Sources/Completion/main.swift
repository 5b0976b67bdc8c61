// Continues a text: Completion MODEL TEXT

import Foundation
import SwiftInfer

let arguments = CommandLine.arguments
guard arguments.count == 3 else {
    print("usage: Completion MODEL TEXT")
    exit(64)
}
do {
    let session = try Model(contentsOf: arguments[1]).makeSession()
    let options = GenerationOptions(maximumTokens: 60, stop: ["\n\n"])
    print(arguments[2], terminator: "")
    for try await event in session.generate(.text(arguments[2]), options: options) {
        if case .text(let piece) = event { print(piece, terminator: "") }
    }
    print()
} catch {
    print(error)
    exit(1)
}
