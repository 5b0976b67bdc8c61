// The models known by name, and where their files are kept.

import Foundation
import InferSupport

/// The catalogue of models that are fetched by name; part of the program, so that a moved binary still has it.
struct Catalogue {
    /// One model; further fields of the file are for the script that fetches it.
    struct Entry: Decodable {
        let name: String
        let title: String
        let file: String
        let bytes: Int
        let licence: String
    }

    /// All models, in the order of the catalogue.
    let entries: [Entry]

    /// The catalogue this program was built with.
    static func embedded() throws(InferenceError) -> Catalogue {
        do {
            let data = Data(PackageResources.catalogue_json)
            return Catalogue(entries: try JSONDecoder().decode([Entry].self, from: data))
        } catch {
            throw InferenceError(.malformedModel, "the embedded catalogue of models is damaged", cause: error)
        }
    }

    /// The folder where fetched models are kept: `SWIFTINFER_MODELS`, or `swiftinfer/models` in the user's cache folder.
    static var modelFolder: String {
        func variable(_ name: String) -> String? {
            Terminal.environment(name).flatMap { $0.isEmpty ? nil : $0 }
        }
        if let folder = variable("SWIFTINFER_MODELS") { return folder }
        if let cache = variable("XDG_CACHE_HOME") { return cache + "/swiftinfer/models" }
        return (variable("HOME") ?? "") + "/.cache/swiftinfer/models"
    }

    /// Where the file of `entry` is, or would be.
    static func path(of entry: Entry) -> String { modelFolder + "/" + entry.file }

    /// The file that `model`, a path or a name, stands for. A file of that name in the current folder comes first; a folder
    /// hides no model.
    ///
    /// - Throws: ``InferenceError`` with `unreadableFile`: nothing there, and what to do about it.
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
