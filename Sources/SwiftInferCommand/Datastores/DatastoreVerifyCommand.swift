// `swiftinfer datastore verify`: checks every byte of datastores.

import ArgumentParser
import InferCodeSwift
import InferSupport
import SwiftInfer

struct DatastoreVerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check datastores: checksums, document table, tokens, and the order of the suffixes.",
        discussion: "Every datastore is checked. Exit status 1 if one of them is not valid.")

    @Argument(help: "The datastores.", completion: .datastore)
    var files: [String]

    @Flag(help: #"Print one JSON object per datastore {"path":…,"valid":true or false}."#)
    var json = false

    private struct Verdict: Encodable {
        let path: String
        let valid: Bool
    }

    func run() throws {
        var isAllValid = true
        for file in files {
            let fault = Self.fault(of: file)
            if let fault {
                isAllValid = false
                Output.standardError("swiftinfer: error: \(fault)\n")
            }
            if json {
                try Output.json(Verdict(path: file, valid: fault == nil))
            } else if fault == nil {
                Output.standardOutput("\(file): valid\n")
            }
        }
        if !isAllValid { throw ExitCode.failure }
    }

    /// The first fault of the datastore at `path`; nil if it is valid.
    private static func fault(of path: String) -> InferenceError? {
        let bar = ProgressBar("verifying")
        defer { bar.clear() }
        do throws(InferenceError) {
            try Datastore(path: path).verify { bar.update($0) }
            return nil
        } catch {
            return error
        }
    }
}
