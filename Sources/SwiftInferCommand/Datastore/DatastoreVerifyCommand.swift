// `swiftinfer datastore verify`: every byte of a datastore.

import ArgumentParser
import CodeSwift
import SwiftInfer

struct DatastoreVerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check datastores: checksums, document table, tokens, and the order of the suffixes.")

    @Argument(help: "The datastores.")
    var files: [String]

    @Flag(help: #"Print one JSON object per datastore {"path":…,"valid":true}."#)
    var json = false

    private struct Verdict: Encodable {
        let path: String
        let valid: Bool
    }

    func run() throws {
        for file in files {
            let bar = ProgressBar("verifying")
            defer { bar.clear() }
            try Datastore(path: file).verify { bar.update($0) }
            bar.clear()
            if json {
                try Output.json(Verdict(path: file, valid: true))
            } else {
                Output.standardOutput("\(file): valid\n")
            }
        }
    }
}
