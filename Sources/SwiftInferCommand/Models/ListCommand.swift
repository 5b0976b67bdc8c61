// `swiftinfer list`: the models that are there, and those that can be fetched by name.

import ArgumentParser
import Foundation
import InferCatalogue
import InferEvaluation
import InferGGUF
import InferSupport
import SwiftInfer

struct ListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the models that are there, and those to fetch by name."
    )

    @Flag(help: "Print one JSON object with folder, models, partial and catalogue.")
    var json = false

    /// A model that is there.
    private struct Fetched: Encodable {
        let name: String
        let path: String
        let bytes: Int
        let architecture: String?
        let quantisation: String?
        let parameters: Int?
        /// Why this program cannot run the model; nil if it can.
        let problem: String?

        init(_ file: ModelFolder.File, name: String) {
            self.name = name
            path = file.path
            do throws(InferenceError) {
                let model = try GGUFFile(path: file.path)
                let summary = try Model.Summary(of: model)
                bytes = summary.fileSize
                architecture = summary.architecture
                parameters = summary.parameterCount
                quantisation = file.quantisation ?? summary.types.first.map { "\($0.type)" }
                problem = ModelDescription.problem(of: model)
            } catch {
                bytes = file.paths.reduce(0) { $0 + (ModelFolder.size(of: $1) ?? 0) }
                (architecture, parameters, quantisation, problem) = (nil, nil, file.quantisation, error.message)
            }
        }
    }

    /// A transfer that was interrupted.
    private struct Partial: Encodable {
        let name: String
        let path: String
        let bytes: Int
        /// The bytes of the whole file, if known.
        let size: Int?
    }

    /// A model of the catalogue.
    private struct Entry: Encodable {
        let name: String
        let title: String
        let quantisation: String?
        /// The size for people, if known.
        let size: String?
        let licence: String
        let homepage: String
        let bytes: Int?
        let fetched: Bool

        enum CodingKeys: String, CodingKey {
            case name, title, quantisation, size, homepage, bytes, fetched, licence = "license"
        }
    }

    private struct Report: Encodable {
        let folder: String
        let models: [Fetched]
        let partial: [Partial]
        let catalogue: [Entry]
    }

    func run() throws {
        let catalogue = try Catalogue.embedded()
        let names = Dictionary(
            catalogue.entries.compactMap { entry in entry.path().map { ($0, entry.name) } },
            uniquingKeysWith: { name, _ in name })
        let models = ModelFolder.user.files.map { Fetched($0, name: names[$0.path] ?? $0.uniqueName) }
        let partial = ModelFolder.user.partialFiles.map { path in
            Partial(
                name: Catalogue.name(ofFile: path), path: path + ".part",
                bytes: ModelFolder.size(of: path + ".part") ?? 0,
                size: PartialFile.record(of: path)?.size)
        }
        let entries = catalogue.entries.map { entry in
            Entry(
                name: entry.name, title: entry.title, quantisation: entry.quantisation,
                size: entry.size ?? entry.bytes.map(Format.bytes), licence: entry.licence, homepage: entry.homepage,
                bytes: entry.bytes, fetched: entry.path() != nil)
        }
        let report = Report(folder: ModelFolder.user.path, models: models, partial: partial, catalogue: entries)
        if json { try Output.json(report) } else { Output.standardOutput(text(report)) }
    }

    private func text(_ report: Report) -> String {
        var text = ""
        if !report.models.isEmpty {
            let rows = report.models.map { model in
                [
                    model.name.printable, Format.bytes(model.bytes), model.architecture?.printable ?? "?",
                    model.quantisation?.printable ?? "?", model.parameters.map(Format.count) ?? "?",
                ]
            }
            text += Format.columns([["model", "size", "architecture", "type", "weights"]] + rows)
            for model in report.models {
                if let problem = model.problem { text += "\(model.name.printable) cannot run here: \(problem)\n" }
            }
            text += "\n"
        }
        for part in report.partial {
            let whole = part.size.map { " of \(Format.bytes($0))" } ?? ""
            text += "\(part.name.printable): interrupted after \(Format.bytes(part.bytes))\(whole)\n"
        }
        if !report.partial.isEmpty { text += "\n" }
        let others = report.catalogue.filter { !$0.fetched }
        if !others.isEmpty {
            let rows = others.map { [$0.name, $0.quantisation ?? "", $0.size ?? "", $0.licence] }
            text += "swiftinfer pull NAME fetches:\n\n" + Format.columns([["name", "type", "size", "licence"]] + rows)
        }
        return text
    }
}
