// `swiftinfer edit`: changes a file as asked.

import ArgumentParser
import InferSupport
import SwiftInfer

struct EditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "edit",
        abstract: "Change a file as asked, and print the difference.",
        discussion: """
            FILE can be followed by lines, as in main.py:10-20: then the model writes these lines anew, otherwise the whole \
            file. It reads the whole file in both cases. What stays as it is is drafted from the file, so that it takes \
            little time.

            The difference is printed as git apply and patch read it. Only --write changes the file.
            """
    )

    @OptionGroup var model: ModelArgument

    @Argument(help: ArgumentHelp("The file, or lines of it.", valueName: "file"), completion: .file())
    var place: FileLines

    @Option(
        name: .shortAndLong, parsing: .unconditional,
        help: ArgumentHelp("What to change (default: read from standard input).", valueName: "text"))
    var message: String?

    @Flag(name: .shortAndLong, help: "Write the changed text into the file.")
    var write = false

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp("Another file that the model reads; may be given several times.", valueName: "file"),
        completion: .file())
    var contextFile: [String] = []

    @OptionGroup var template: TemplateOptions

    @OptionGroup(title: "Sampling") var sampling: SamplingArguments
    @OptionGroup(title: "Engine") var engine: EngineOptions
    @OptionGroup(title: "Engine") var context: ContextOptions
    @OptionGroup(title: "Engine") var drafting: DrafterOptions

    @Flag(help: "Print times to standard error at the end.")
    var stats = false

    func run() async throws {
        let edit = try FileEdit(place)
        let instruction = try InputText.given(argument: message, file: nil).map { String(decoding: $0, as: UTF8.self) }
        guard let instruction, !instruction.trimmingBlanks.isEmpty else {
            throw ValidationError("Nothing to change: say what with -m.")
        }
        let messages = try edit.messages(instruction: instruction, context: contextFile)
        let (model, loadDuration) = try engine.load(
            self.model.path(), for: context.options, chatTemplate: template.source())
        var sessionOptions = context.options
        sessionOptions.drafter = drafting.choice
        sessionOptions.contextLength = context.chatContextLength(of: model)
        let session = try model.makeSession(sessionOptions)
        var options = GenerationOptions(maximumTokens: nil)
        options.sampling = sampling.options
        options.stopsLoops = true
        options.reportsTokens = true
        let length = model.tokenizer.encode(edit.part).count
        let blank = Answer(printsText: false, expectedTokens: length + length / 8 + 16)
        // The last message is the question.
        let chat = Chat(session, transcript: Transcript(messages: messages))
        let stream = chat.streamResponse(options: options)
        let (answer, interrupted) = try await Interrupts.shared.cancelling {
            try await blank.completed(by: .chat(stream))
        }
        if stats { Output.standardError(answer.statistics.summary(loadDuration: loadDuration) + "\n") }
        if interrupted { throw ExitCode(Interrupts.exitStatus) }
        try show(edit, answer, contextLength: session.contextLength)
    }

    /// Prints the difference that `answer` makes, and writes the file if asked to.
    private func show(_ edit: FileEdit, _ answer: Answer, contextLength: Int) throws {
        let text: String
        do throws(InferenceError) {
            if answer.statistics.finishReason == .contextFull {
                throw InferenceError(
                    .incompleteAnswer,
                    "the answer does not fit into the context of \(contextLength) tokens; --context makes it longer, and "
                        + "FILE:FIRST-LAST asks for these lines alone")
            }
            if answer.statistics.finishReason == .loop {
                throw InferenceError(.incompleteAnswer, Answer.loopMessage)
            }
            text = try edit.text(from: answer.message.content)
        } catch {
            // The answer can be of use even so.
            Output.standardError(Terminal.dimmed(answer.message.content) + "\n")
            throw error
        }
        let diff = UnifiedDiff(from: edit.oldText, to: text)
        guard !diff.isEmpty else {
            Output.standardError("swiftinfer: the model changes nothing\n")
            return
        }
        for line in diff.text(name: edit.name) { Output.standardOutput(tinted(line)) }
        if write {
            try edit.write(text)
            let (added, removed) = diff.counts
            Output.standardError("swiftinfer: \(edit.path) is changed: +\(added) −\(removed) lines\n")
        }
    }

    /// A line of a diff in the colours of git, on a terminal.
    private func tinted(_ line: String) -> String {
        guard Terminal.allowsColorOfOutput else { return line }
        let style =
            switch line.first {
            case "-" where !line.hasPrefix("--- "): "31"
            case "+" where !line.hasPrefix("+++ "): "32"
            case "@": "36"
            case "-", "+": "1"
            default: "0"
            }
        return "\u{1B}[\(style)m\(line.dropLast())\u{1B}[0m\n"
    }
}
