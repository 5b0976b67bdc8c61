// `swiftinfer infill`: the text for a gap in a file.

import ArgumentParser
import InferSupport
import SwiftInfer

struct InfillCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "infill",
        abstract: "Print the text that a model puts at a place in a file.",
        discussion: """
            PLACE is FILE:LINE or FILE:LINE:COLUMN, as compilers print it. Lines and columns count from 1, and a column is a \
            character; without one, the place is the end of the line. The model reads the text before and after the place, \
            cut to the context, and other files of the same folder with the same ending, the last changed ones first. The \
            file itself is not changed.
            """
    )

    @OptionGroup var model: ModelArgument

    @Argument(help: ArgumentHelp("The place of the gap.", valueName: "place"), completion: .file())
    var place: FilePlace

    @Option(
        name: .short, parsing: .unconditional,
        help: ArgumentHelp("Maximum number of tokens to generate; -1: until the context is full.", valueName: "n"))
    var n = 256

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp("End the text where this text appears; may be given several times.", valueName: "text"))
    var stop: [String] = []

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp(
            "Another file that the model reads; may be given several times, the most important last.",
            valueName: "file"), completion: .file())
    var contextFile: [String] = []

    @Flag(help: "Read no other files of the folder.")
    var noNeighbours = false

    @OptionGroup(title: "Sampling") var sampling: SamplingArguments
    @OptionGroup(title: "Engine") var engine: EngineOptions
    @OptionGroup(title: "Engine") var context: ContextOptions
    @OptionGroup(title: "Engine") var drafting: DrafterOptions

    @Flag(help: "Print times to standard error at the end.")
    var stats = false

    @Flag(help: "Print one JSON object, as run --json does, instead of the text.")
    var json = false

    func validate() throws {
        if n < -1 { throw ValidationError("-n is \(n), but must be 0 or more, or -1.") }
        if stop.contains("") { throw ValidationError("--stop must not be empty.") }
    }

    func run() async throws {
        var gap = try place.gap()
        gap.context = try (noNeighbours ? [] : Neighbours(of: place.file).files) + contextFile.map(sourceFile)
        let (model, loadDuration) = try engine.load(self.model.path(), for: context.options)
        var sessionOptions = context.options
        sessionOptions.drafter = drafting.choice
        let session = try model.makeSession(sessionOptions)
        var options = GenerationOptions(maximumTokens: n < 0 ? nil : n, stop: stop)
        options.sampling = sampling.options
        options.hashesLogits = json
        // An answer of any length gets an eighth of the context at least.
        let reserved = min(n < 0 ? .max : n, session.contextLength / 8)
        let prompt = Prompt.tokens(try gap.tokens(for: model.tokenizer, limit: session.contextLength - reserved))
        try await Answer(printsText: !json).printed(
            by: .text(session.generate(prompt, options: options)), json: json, stats: stats, loadDuration: loadDuration,
            drafter: drafting.drafter.description, seed: options.sampling.seed)
    }

    private func sourceFile(_ path: String) throws(InferenceError) -> SourceFile {
        SourceFile(name: path, text: String(decoding: try InputText.file(path), as: UTF8.self))
    }
}
