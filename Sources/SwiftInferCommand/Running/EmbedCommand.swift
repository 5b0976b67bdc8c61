// `swiftinfer embed`: texts as vectors.

public import ArgumentParser
import InferSupport
public import SwiftInfer

struct EmbedCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "embed",
        abstract: "Print the embeddings of texts.",
        usage: "swiftinfer embed <model> [<texts> ...] [<options>]",
        discussion: """
            Texts are the arguments and the files given with -f; without any, standard input is one text. An embedding is a \
            vector: the states of a text's tokens in the model's last layer, pooled and scaled to length 1. Texts that have \
            much to do with each other have a large scalar product.

            The output has one line per text, values separated by spaces.
            """
    )

    @OptionGroup var model: ModelArgument

    @Argument(help: "The texts.")
    var texts: [String] = []

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Read a text from a file; - is standard input. Can be repeated.", valueName: "path"),
        completion: .file())
    var file: [String] = []

    @Flag(help: "Separate texts: every line of a file is one.")
    var lines = false

    @Option(help: "How tokens' states become one vector (default: as the model's file says, or mean).")
    var pooling: EmbeddingOptions.Pooling?

    @Flag(help: "Do not scale the vectors to length 1.")
    var raw = false

    @Flag(help: #"Print a JSON object {"embedding":[…],"tokens":n} for each text."#)
    var json = false

    @OptionGroup(title: "Engine options") var engine: EngineOptions

    func run() async throws {
        let texts = try allTexts()
        guard !texts.isEmpty else {
            throw ValidationError("No text: give it as an argument, with -f, or on standard input.")
        }
        let model = try engine.load(self.model.path(), for: Session.Options(drafter: .none)).model
        let options = EmbeddingOptions(pooling: pooling, isNormalized: !raw)
        for text in texts {
            let tokens = try model.tokens(for: .text(text))
            let vector = try await model.embedding(of: .tokens(tokens), options: options)
            if json {
                try Output.json(Report(embedding: vector, tokens: tokens.count))
            } else {
                Output.standardOutput(vector.map { "\($0)" }.joined(separator: " ") + "\n")
            }
        }
    }

    private func allTexts() throws -> [String] {
        var texts = self.texts
        let files = texts.isEmpty && file.isEmpty && !Terminal.isInputInteractive ? ["-"] : file
        for path in files {
            let text = String(decoding: try InputText.file(path), as: UTF8.self)
            texts += lines ? text.split(separator: "\n").map(String.init) : [text]
        }
        return texts
    }

    private struct Report: Encodable {
        let embedding: [Float]
        let tokens: Int
    }
}

extension EmbeddingOptions.Pooling: ExpressibleByArgument {}
