// `swiftinfer chat`: a conversation on the terminal, or in lines of JSON.

import ArgumentParser
import Foundation
import InferSupport
import SwiftInfer

struct ChatCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chat",
        abstract: "Converse on the terminal, or in lines of JSON.",
        discussion: """
            The same as run --chat. But with --json and without a prompt, each line of standard input is a message: a JSON \
            object as in OpenAI's interface, such as {"role": "user", "content": "Hello"}, or a string, which the user says. \
            For each message of the user or a tool, a line is printed: the answer as run --json prints it, or {"error": TEXT}. \
            Messages of the assistant are added without an answer; one of the system at the beginning has the instructions. \
            When the context is full, the oldest turns are forgotten.
            """
    )

    @OptionGroup var options: RunCommand

    func run() async throws {
        var options = options
        options.chat = true
        guard options.json, !options.hasPrompt else { return try await options.run() }
        try await options.converseInLines()
    }
}

extension RunCommand {
    /// Answers the messages of standard input, line by line.
    ///
    /// - Throws: ``InferenceError`` if the model cannot be used; `ExitCode` at the end if a line had an error, or if the user has stopped
    ///   an answer.
    fileprivate func converseInLines() async throws {
        let grammar = try form.load()
        let (model, loadDuration) = try engine.load(
            self.model.path(), for: context.options, chatTemplate: template.source())
        var sessionOptions = context.options
        sessionOptions.drafter = drafting.choice
        sessionOptions.contextLength = context.chatContextLength(of: model)
        let chat = conversation(in: try model.makeSession(sessionOptions))
        // A template that cannot be used is an error of the whole.
        _ = try model.tokens(for: .chat([ChatMessage(role: .user, content: "x")]))
        var hasErrors = false
        while let line = readLine() {
            guard !line.trimmingBlanks.isEmpty else { continue }
            do {
                let message = try Self.message(in: line)
                guard message.role == .user || message.role == .tool else {
                    try chat.changeTranscript { $0.append(message) }
                    continue
                }
                var options = generationOptions(for: model)
                options.grammar = grammar
                // The answer to a message that fails leaves nothing behind.
                let before = chat.transcript
                try chat.changeTranscript { $0.append(message) }
                do {
                    let stream = chat.streamResponse(options: options)
                    let (answer, interrupted) = try await Interrupts.shared.cancelling {
                        try await Answer(printsText: false).completed(by: .chat(stream))
                    }
                    try Output.json(
                        RunReport(
                            answer, loadDuration: loadDuration, drafter: drafting.drafter.description,
                            seed: options.sampling.seed))
                    if interrupted { throw ExitCode(Interrupts.exitStatus) }
                } catch let error as InferenceError {
                    try chat.changeTranscript { $0 = before }
                    throw error
                }
            } catch let error as InferenceError {
                hasErrors = true
                try Output.json(["error": error.message])
            }
        }
        if hasErrors { throw ExitCode.failure }
    }

    /// The message in a line: an object or a string.
    private static func message(in line: String) throws(InferenceError) -> ChatMessage {
        let data = Data(line.utf8)
        if let text = try? JSONDecoder().decode(String.self, from: data) {
            return ChatMessage(role: .user, content: text)
        }
        let message: ChatMessage
        do {
            message = try JSONDecoder().decode(ChatMessage.self, from: data)
        } catch {
            throw InferenceError(
                .invalidArgument,
                "a line is no message such as {\"role\": \"user\", \"content\": \"Hello\"}: \(String(line.prefix(80)).printable)",
                cause: error)
        }
        // A template would write any role, so that a mistyped one would change the prompt unseen.
        guard [.system, .user, .assistant, .tool, ChatMessage.Role(rawValue: "developer")].contains(message.role) else {
            throw InferenceError(
                .invalidArgument,
                "\(message.role.rawValue.printable) is no role; there are system, developer, user, assistant and tool")
        }
        return message
    }
}
