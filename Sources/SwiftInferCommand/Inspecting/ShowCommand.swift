// `swiftinfer show`: prints the contents of a model file.

import ArgumentParser
import InferEvaluation
import InferGGUF
import InferSupport
import SwiftInfer

struct ShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Print what a model file holds.",
        discussion: "Nothing is loaded: it works on vocabulary files and on models this program cannot run, too."
    )

    @OptionGroup var model: ModelArgument

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() throws {
        let path = try model.path()
        let description = try ModelDescription(GGUFFile(path: path))
        MemoryCheck(path).warn()
        if json {
            try Output.json(description)
        } else {
            Output.standardOutput(table(description) + types(description))
        }
    }

    private func table(_ model: ModelDescription) -> String {
        let tokenizer = model.tokenizer
        let heads = model.heads.map { heads in
            "\(heads)" + (model.keyValueHeads.map { $0 == heads ? "" : ", \($0) for keys and values" } ?? "")
                + (model.headWidth.map { ", \($0) wide" } ?? "")
        }
        return Format.table([
            ("file", "\(model.path), \(Format.bytes(model.fileSize)), GGUF version \(model.formatVersion)"),
            ("architecture", model.architecture.printable),
            ("name", model.name?.printable),
            ("licence", model.licence?.printable),
            ("runs here", model.problem.map { "no: \($0)" } ?? "yes"),
            ("parameters", model.parameters > 0 ? "\(model.parameters) (\(Format.count(model.parameters)))" : nil),
            ("context", model.contextLength.map { "\($0) tokens" }),
            ("window", model.slidingWindow.flatMap { $0 > 0 ? "\($0) tokens" : nil }),
            ("layers", model.layers.map(String.init)),
            (
                "",
                model.layerKinds.map { kinds in
                    kinds.map { kinds.count == 1 ? $0.kind : "\($0.count) of \($0.kind)" }.joined(separator: "; ")
                }
            ),
            (
                "recurrent state",
                model.recurrentState.map {
                    "\(Format.bytes($0.bytes)) and \(Format.bytes($0.bytesPerDraftRow)) for each row of a draft"
                }
            ),
            ("width", model.width.map(String.init)),
            ("feed-forward", model.feedForwardWidth.map(String.init)),
            ("heads", heads),
            ("experts", model.experts.map { "\($0), \(model.expertsUsed ?? 0) used for a token" }),
            ("vocabulary", model.vocabularySize.map { "\($0) tokens" }),
            ("tokenizer", tokenizer.kind),
            ("", tokenizer.problem.map { "not usable here: \($0)" }),
            ("special tokens", list(tokenizer.special)),
            (
                "end tokens",
                list(tokenizer.ends.map { Dictionary($0.map { ($0.key.printable, $0.value) }, uniquingKeysWith: min) })
            ),
            ("infill tokens", list(tokenizer.infill)),
            ("chat template", model.chatTemplate.map(describe) ?? "none"),
            ("sampling", model.sampling.map(describe)),
        ])
    }

    private func describe(_ template: TemplateDescription) -> String {
        if let problem = template.problem { return "cannot be used: \(problem)" }
        return template.kind ?? "of no known family"
    }

    private func describe(_ sampling: ModelDescription.Sampling) -> String {
        let values: [(String, Double, off: Double)] = [
            ("temperature", sampling.temperature.value, -1), ("top-k", Double(sampling.topK), 0),
            ("top-p", sampling.topP.value, 1), ("min-p", sampling.minP.value, 0),
            ("repeat penalty", sampling.repeatPenalty.value, 1),
        ]
        return values.filter { $0.1 != $0.off }.map { "\($0.0) \(Format.decimal($0.1, $0.0 == "top-k" ? 0 : 2))" }
            .joined(separator: ", ") + ", recommended for chats"
    }

    private func list(_ tokens: [String: TokenID]?) -> String? {
        guard let tokens else { return nil }
        guard !tokens.isEmpty else { return "none" }
        return tokens.sorted { ($0.value, $0.key) < ($1.value, $1.key) }.map { "\($0.key) \($0.value)" }
            .joined(separator: ", ")
    }

    private func types(_ model: ModelDescription) -> String {
        guard !model.types.isEmpty else { return "" }
        return "\ntype      tensors          size\n"
            + model.types.map {
                Format.left($0.type, 9) + Format.right("\($0.tensors)", 8) + Format.right(Format.bytes($0.bytes), 14)
                    + "\n"
            }.joined()
    }
}
