// `swiftinfer make-model`: writes a file with the shape of a real model and random weights.

import ArgumentParser
import InferEvaluation
import InferGGUF

struct MakeModelCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "make-model",
        abstract: "Write a file of a real model's shape with random weights, for speed tests.",
        discussion: """
            Shapes: \(ModelShape.all.map(\.name).joined(separator: ", ")).

            Types are chosen as llama-quantize does: norms and biases in f32, the output matrix in q6_k beside smaller types, \
            and a type with shorter blocks where rows are not a multiple of 256. The same arguments give the same bytes.
            """
    )

    @Argument(help: "The shape.", completion: .list(ModelShape.all.map(\.name)))
    var shape: String

    @Option(name: .shortAndLong, help: ArgumentHelp("The file to write.", valueName: "path"), completion: .file())
    var output: String

    @Option(
        help: ArgumentHelp(
            "Type of the matrices: q4_0, q4_1, q5_0, …, q4_k, …, iq4_xs, f16, bf16, f32.", valueName: "type"),
        completion: .list(types.keys.sorted()))
    var type = "q4_k"

    @Option(parsing: .unconditional, help: ArgumentHelp("Number of layers (default: the shape's).", valueName: "n"))
    var layers: Int?

    @Flag(help: "Replace the file if it exists.")
    var force = false

    /// The types that random weights can have, by their names in lower case.
    private static let types: [String: TensorType] = Dictionary(
        uniqueKeysWithValues: (UInt32(0)...64).map(TensorType.init(rawValue:))
            .filter { $0.isKnown && RandomWeights($0, seed: 0) != nil }.map { ("\($0)".lowercased(), $0) })

    func validate() throws {
        guard ModelShape.all.contains(where: { $0.name == shape }) else {
            throw ValidationError(
                "No shape is named \(shape); there are \(ModelShape.all.map(\.name).joined(separator: ", ")).")
        }
        guard Self.types[type.lowercased()] != nil else {
            if let substitute = TensorType.substitute(forMixture: type) { throw ValidationError("\(substitute).") }
            throw ValidationError("--type must be one of \(Self.types.keys.sorted().joined(separator: ", ")).")
        }
        if let layers, !(1...1000).contains(layers) {
            throw ValidationError("--layers is \(layers), but must be from 1 to 1000.")
        }
    }

    func run() throws {
        guard let shape = ModelShape.all.first(where: { $0.name == shape }), let type = Self.types[type.lowercased()]
        else { return }
        try OutputCheck(output).refuse(force: force)
        let bar = ProgressBar("writing")
        defer { bar.clear() }
        let writer = try RandomModel(shape, layers: layers ?? shape.layers, type: type).writer { bar.update($0) }
        try writer.write(to: output)
        bar.clear()
        let size = try GGUFFile(path: output).byteCount
        Output.standardError("\(output): \(shape.name), \(type), \(Format.bytes(size))\n")
    }
}
