// `swiftinfer quantize`: writes a model file with its weight matrices in another type.

import ArgumentParser
import Foundation
import InferCatalogue
import InferEvaluation
import InferGGUF
import InferSupport
import InferTensors

struct QuantizeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quantize",
        abstract: "Write a model with its weight matrices in another type.",
        discussion: """
            Types: \(types.keys.sorted().joined(separator: ", ")).

            Vectors, norms, biases and expert routers stay as they are; so does whatever has the type already. The \
            output matrix, or the embedding that serves as one, is written in q6_k beside types of fewer bits (--pure: in \
            the same type as everything else). Where rows do not fill the blocks of a type another one takes its place, \
            and that is said. The same file gives the same bytes, whatever the number of threads.
            """
    )

    @Argument(help: ArgumentHelp("The model: a .gguf file or a name.", valueName: "in"), completion: .model)
    var input: String

    @Argument(help: ArgumentHelp("The file to write.", valueName: "out"), completion: .file())
    var output: String

    @Argument(help: "Type of the weight matrices.", completion: .list(types.keys.sorted()))
    var type: String

    @Flag(help: "One type for all matrices, the output's included.")
    var pure = false

    @Option(
        name: .shortAndLong, parsing: .unconditional,
        help: ArgumentHelp("Threads to work with (default: one per processor).", valueName: "n"))
    var threads: Int?

    @Flag(help: "Replace the file if it exists.")
    var force = false

    /// The types that can be written, by their names in lower case.
    private static let types: [String: TensorType] = Dictionary(
        uniqueKeysWithValues: TensorFormat.supportedTypes.filter { Quantizer($0) != nil }
            .map { ("\($0)".lowercased(), $0) })

    func validate() throws {
        guard Self.types[type.lowercased()] != nil else {
            if let substitute = TensorType.substitute(forMixture: type) { throw ValidationError("\(substitute).") }
            throw ValidationError(
                "No type is named \(type); there are \(Self.types.keys.sorted().joined(separator: ", ")).")
        }
        if let threads, threads < 1 { throw ValidationError("--threads is \(threads), but must be at least 1.") }
    }

    func run() async throws {
        guard let type = Self.types[type.lowercased()] else { return }
        let file = try GGUFFile(path: Catalogue.path(of: input))
        try OutputCheck(output).refuse(overwriting: file.paths, force: force)
        let plan = QuantizationPlan(file, type: type, pure: pure)
        let headerSize = file.byteCount - file.tensors.reduce(0) { $0 + $1.byteCount }
        try OutputCheck(output).requireSpace(plan.byteCount + headerSize)
        let bar = ProgressBar("quantising")
        let (output, threads) = (output, threads)
        let start = ContinuousClock.now
        let (_, interrupted) = try await Interrupts.shared.cancelling {
            defer { bar.clear() }
            do {
                let converter = try TensorConverter(threads: threads)
                try QuantizedModel(file, plan, type: type).writer(converter) { bar.update($0, note: $1) }
                    .write(to: output)
            } catch let error as InferenceError where error.code == .cancelled {
                // After Ctrl-C. The incomplete file is already removed.
            }
        }
        if interrupted { throw ExitCode(Interrupts.exitStatus) }
        for note in plan.notes { Output.standardError("\(note)\n") }
        let sizes = "\(Format.bytes(file.byteCount)) to \(Format.bytes(try GGUFFile(path: output).byteCount))"
        let seconds = Format.decimal((ContinuousClock.now - start).seconds, 1)
        Output.standardError(
            "\(output): \(plan.converted.count) of \(plan.entries.count) tensors converted to \(type), \(sizes), "
                + "\(seconds) s\n"
        )
    }
}
