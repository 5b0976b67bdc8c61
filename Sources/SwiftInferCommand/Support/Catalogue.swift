// The catalogue of models, the folder of their files, and the MODEL argument.

import ArgumentParser
import Foundation
import InferGGUF
import InferSupport
import InferTokenizers

/// The models that can be fetched by name. The catalogue is embedded in the program, so that a moved binary still has it.
struct Catalogue {
    /// A model. The file has further fields for the script that fetches models.
    struct Entry: Decodable {
        let name: String
        let title: String
        let file: String
        let bytes: Int
        let licence: String
    }

    /// All models, in the order of the catalogue.
    let entries: [Entry]

    /// The catalogue that is embedded in the program.
    static func embedded() throws(InferenceError) -> Catalogue {
        do {
            let data = Data(PackageResources.catalogue_json)
            return Catalogue(entries: try JSONDecoder().decode([Entry].self, from: data))
        } catch {
            throw InferenceError(.malformedModel, "the embedded catalogue of models is damaged", cause: error)
        }
    }

    /// The folder of fetched models: `SWIFTINFER_MODELS`, or `swiftinfer/models` in the user's cache folder.
    static var modelFolder: String {
        func variable(_ name: String) -> String? {
            Terminal.environment(name).flatMap { $0.isEmpty ? nil : $0 }
        }
        if let folder = variable("SWIFTINFER_MODELS") { return folder }
        if let cache = variable("XDG_CACHE_HOME") { return cache + "/swiftinfer/models" }
        return (variable("HOME") ?? "") + "/.cache/swiftinfer/models"
    }

    /// The path of the file of `entry`, which may not exist.
    static func path(of entry: Entry) -> String { modelFolder + "/" + entry.file }

    /// The name of a model's file, without its folder and ending.
    static func name(ofFile path: String) -> String {
        let file = path.split(separator: "/").last.map(String.init) ?? path
        return file.hasSuffix(".gguf") ? String(file.dropLast(5)) : file
    }

    /// The file for `model`, a path or a name. A file at this path has precedence over a model of this name; a folder has not.
    ///
    /// - Throws: ``InferenceError`` with `unreadableFile` if there is no file. The message says what to do.
    static func resolve(_ model: String) throws(InferenceError) -> String {
        var isDirectory: ObjCBool = false
        if FileManager.default.fileExists(atPath: model, isDirectory: &isDirectory), !isDirectory.boolValue {
            return model
        }
        let catalogue = try embedded()
        if let entry = catalogue.entries.first(where: { $0.name == model }) {
            let path = path(of: entry)
            guard FileManager.default.fileExists(atPath: path) else {
                throw InferenceError(
                    .unreadableFile,
                    "\(model) has not been fetched yet (no file \(path)); run Tools/fetch-model \(model)")
            }
            return path
        }
        if isDirectory.boolValue {
            throw InferenceError(.unreadableFile, "\(model) is a folder; MODEL is a .gguf file or a catalogue name")
        }
        guard !model.contains("/"), !model.hasSuffix(".gguf") else {
            throw InferenceError(.unreadableFile, "no such file: \(model)")
        }
        let names = catalogue.entries.map(\.name).joined(separator: ", ")
        throw InferenceError(.unreadableFile, "\(model) is neither a file nor one of the catalogue's models: \(names)")
    }
}

/// The model that a command works on.
struct ModelArgument: ParsableArguments {
    @Argument(help: ArgumentHelp("Path of a .gguf file, or a catalogue name.", valueName: "model"))
    var model: String

    /// The path of the model's file.
    func path() throws(InferenceError) -> String { try Catalogue.resolve(model) }

    /// The model's tokenizer. Its warnings go to standard error.
    func tokenizer() throws(InferenceError) -> Tokenizer {
        let tokenizer = try Tokenizer(metadata: GGUFFile(path: path()).metadata)
        Output.warn(tokenizer.warnings)
        return tokenizer
    }
}
