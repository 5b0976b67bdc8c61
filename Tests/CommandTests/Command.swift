// Runs of the built program, as a user runs it.

import Foundation
import TestSupport

/// A finished run of `swiftinfer`.
struct Command {
    /// The exit status; 128 + n if signal n ended the program.
    let status: Int32
    /// The text on standard output.
    let output: String
    /// The text on standard error.
    let errors: String

    /// Runs the program with `arguments` to its end. Standard input is a file with `input`, not a terminal.
    init(_ arguments: String..., input: String = "", environment: [String: String] = [:]) throws {
        try self.init(arguments, input: input, environment: environment)
    }

    /// Runs the program to its end.
    ///
    /// - Parameters:
    ///   - terminal: Standard input instead of `input`, if given.
    ///   - whileRunning: Called once the program has started.
    init(
        _ arguments: [String], input: String = "", terminal: PseudoTerminal? = nil, environment: [String: String] = [:],
        whileRunning: ((RunningCommand) throws -> Void)? = nil
    ) throws {
        let folder = try TemporaryFolder()
        let inputFile = try folder.file("input", Data(input.utf8))
        let outputFile = try folder.file("output", Data())
        let errorFile = try folder.file("errors", Data())
        let process = Process()
        process.executableURL = Self.executable
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment
            // Caches and histories are removed with the folder.
            .merging([
                "NO_COLOR": "1", "SWIFT_BACKTRACE": "enable=no", "XDG_CACHE_HOME": folder.url.path,
                "XDG_STATE_HOME": folder.url.path,
            ]) { $1 }
            .merging(environment) { $1 }
        process.standardInput = try terminal?.program ?? FileHandle(forReadingFrom: inputFile)
        process.standardOutput = try FileHandle(forWritingTo: outputFile)
        process.standardError = try FileHandle(forWritingTo: errorFile)
        try process.run()
        try whileRunning?(RunningCommand(process: process, outputFile: outputFile, errorFile: errorFile))
        process.waitUntilExit()
        status = process.terminationStatus + (process.terminationReason == .uncaughtSignal ? 128 : 0)
        output = String(decoding: try Data(contentsOf: outputFile), as: UTF8.self)
        errors = String(decoding: try Data(contentsOf: errorFile), as: UTF8.self)
    }

    /// The JSON object on standard output. There must be nothing else.
    func json() throws -> [String: Any] {
        let object = try JSONSerialization.jsonObject(with: Data(output.utf8))
        guard let object = object as? [String: Any] else { throw CocoaError(.coderInvalidValue) }
        return object
    }

    /// Whether the program failed in the documented way: status 1, nothing on standard output, one line of error.
    var isCleanFailure: Bool {
        status == 1 && output.isEmpty && errors.hasPrefix("swiftinfer: error: ") && errors.hasSuffix("\n")
            && errors.filter { $0 == "\n" }.count == 1
    }

    /// The path of the program, which is beside the test bundle.
    static let executable: URL = {
        #if os(macOS)
        let bundle = Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") } ?? .main
        let folder = bundle.bundleURL.deletingLastPathComponent()
        #else
        let folder = Bundle.main.bundleURL
        #endif
        return folder.appendingPathComponent("swiftinfer")
    }()
}

/// A program that is running.
struct RunningCommand {
    let process: Process
    let outputFile: URL
    let errorFile: URL

    /// The text on standard output so far.
    var output: String { get throws { String(decoding: try Data(contentsOf: outputFile), as: UTF8.self) } }
    /// The text on standard error so far.
    var errors: String { get throws { String(decoding: try Data(contentsOf: errorFile), as: UTF8.self) } }
}

extension TemporaryFolder {
    /// Writes a file and returns its URL.
    func file(_ name: String, _ contents: Data) throws -> URL {
        try write(name, contents)
        return url.appendingPathComponent(name)
    }
}

extension Fixture {
    /// The model most tests use: byte-pair vocabulary with BOS, Llama 3 chat template.
    static let llama = path("tiny-llama-f32")
    /// A model without BOS, with fill-in-the-middle tokens and a ChatML template.
    static let qwen = path("tiny-qwen2-f32")
}
