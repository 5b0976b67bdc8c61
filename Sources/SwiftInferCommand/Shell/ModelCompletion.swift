// Completion of models in shells.

import ArgumentParser
import Foundation
import InferCatalogue
import InferSupport

extension CompletionKind {
    /// A model: a name of the catalogue or of a fetched model, or a .gguf file.
    static var model: CompletionKind {
        .custom { _, _, prefix in ModelCompletion.names + ModelCompletion.files(startingWith: prefix) }
    }

    /// A model of the catalogue that has not been fetched.
    static var catalogueModel: CompletionKind { .custom { _, _, _ in ModelCompletion.absentNames } }

    /// A fetched model.
    static var fetchedModel: CompletionKind { .custom { _, _, _ in ModelCompletion.fetchedNames } }

    /// A datastore.
    static var datastore: CompletionKind { .file(extensions: ["store"]) }
}

/// What a model's argument can be. The shell chooses what begins with the text that was typed.
enum ModelCompletion {
    /// The names of fetched models, and of the catalogue's others.
    static var names: [String] { fetchedNames + absentNames }

    /// The names of the catalogue's models that have not been fetched.
    static var absentNames: [String] {
        ((try? Catalogue.embedded())?.entries ?? []).filter { $0.path() == nil }.map(\.name)
    }

    /// The names of fetched models. They have no colon, at which bash would split them.
    static var fetchedNames: [String] {
        let entries = ((try? Catalogue.embedded())?.entries ?? []).compactMap { entry in
            entry.path().map { ($0, entry.name) }
        }
        let names = Dictionary(entries, uniquingKeysWith: { name, _ in name })
        return ModelFolder.user.files.map { names[$0.path] ?? $0.name }
    }

    /// The folders and .gguf files whose paths begin with `prefix`.
    static func files(startingWith prefix: String) -> [String] {
        let folder = prefix.lastIndex(of: "/").map { String(prefix[...$0]) } ?? ""
        let place = folder.isEmpty ? "." : NSString(string: folder).expandingTildeInPath
        let start = prefix.dropFirst(folder.count)
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: place)) ?? []
        return entries.sorted().compactMap { name -> String? in
            guard name.hasPrefix(start), start.hasPrefix(".") || !name.hasPrefix(".") else { return nil }
            switch FileKind(at: "\(place)/\(name)") {
            case .folder: return folder + name + "/"
            case .file: return name.lowercased().hasSuffix(".gguf") ? folder + name : nil
            case nil: return nil
            }
        }
    }
}
