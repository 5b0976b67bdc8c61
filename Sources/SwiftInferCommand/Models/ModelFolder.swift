// The folder of fetched models.

import Foundation
import InferSupport

/// The folder of fetched models: `SWIFTINFER_MODELS`, or `swiftinfer/models` in the user's cache folder. Models from the hub lie in
/// OWNER/NAME, so that equal names of files do not meet; others in the folder itself.
enum ModelFolder {
    /// A model's file, or the first of a split model.
    struct File: Equatable {
        let path: String
        /// The repository on the hub that it comes from.
        let repository: HubRepository?

        /// The name without folder, ending and number of a part.
        var name: String { SplitFile.stem(of: Catalogue.name(ofFile: path)) }
        /// The quantisation that the name ends with.
        var quantisation: String? { Quantisation.name(ofFile: path) }
        /// A name that no other fetched model has.
        var uniqueName: String {
            repository.map { "\($0.path):\(quantisation ?? Catalogue.name(ofFile: path))" } ?? name
        }
        /// The paths of all files of the model.
        var paths: [String] {
            guard let place = SplitFile.place(of: path) else { return [path] }
            return (1...place.count).map { SplitFile.path(ofPart: $0, like: path) }
        }
    }

    /// The path of the folder, which may not exist.
    static var path: String {
        func variable(_ name: String) -> String? {
            Terminal.environment(name).flatMap { $0.isEmpty ? nil : $0 }
        }
        if let folder = variable("SWIFTINFER_MODELS") { return folder }
        if let cache = variable("XDG_CACHE_HOME") { return cache + "/swiftinfer/models" }
        return (variable("HOME") ?? "") + "/.cache/swiftinfer/models"
    }

    /// The folder for a repository's files.
    static func path(of repository: HubRepository) -> String { "\(path)/\(repository.path)" }

    /// All models in the folder, by name.
    static var files: [File] {
        var files = models(in: path, nil)
        for owner in names(in: path) {
            for name in names(in: "\(path)/\(owner)") {
                guard let repository = HubRepository("\(owner)/\(name)") else { continue }
                files += models(in: path(of: repository), repository)
            }
        }
        return files.sorted { ($0.name, $0.path) < ($1.name, $1.path) }
    }

    /// The fetched files of `repository` that `choice` fits: a quantisation or a name.
    static func files(of repository: HubRepository, fitting choice: String?) -> [File] {
        models(in: path(of: repository), repository).filter { file in
            guard let choice = choice?.uppercased() else { return true }
            return file.quantisation == choice || file.name.uppercased() == choice
                || URL(fileURLWithPath: file.path).lastPathComponent.uppercased() == choice
        }
    }

    /// The fetched models that `name` can mean: the name of a file with or without its ending, or OWNER/NAME with or without a quantisation.
    static func files(named name: String) -> [File] {
        if case .hub(let repository, let choice)? = ModelReference(name) ?? ModelReference("hf:\(name)") {
            return files(of: repository, fitting: choice)
        }
        guard !name.contains("/") else { return [] }
        return files.filter {
            $0.name == Catalogue.name(ofFile: name) || Catalogue.name(ofFile: $0.path) == Catalogue.name(ofFile: name)
        }
    }

    private static func models(in folder: String, _ repository: HubRepository?) -> [File] {
        names(in: folder).filter {
            Quantisation.isModel($0) && SplitFile.place(of: $0)?.number ?? 1 == 1
        }.map { File(path: "\(folder)/\($0)", repository: repository) }
    }

    private static func names(in folder: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).filter { !$0.hasPrefix(".") }.sorted()
    }

    /// The targets of interrupted transfers.
    static var partialFiles: [String] {
        var folders = [path]
        for owner in names(in: path) { folders += names(in: "\(path)/\(owner)").map { "\(path)/\(owner)/\($0)" } }
        return folders.flatMap { folder in
            names(in: folder).filter { $0.hasSuffix(".gguf.part") }.map { "\(folder)/\($0.dropLast(5))" }
        }
    }

    /// The size of a file in bytes; nil if there is none.
    static func size(of path: String) -> Int? {
        var status = stat()
        return stat(path, &status) == 0 ? Int(status.st_size) : nil
    }

    /// Removes the folders of a repository that has no files any more.
    static func removeEmptyFolders(above file: String) {
        var folder = URL(fileURLWithPath: file).deletingLastPathComponent()
        // `rmdir` refuses a folder that has files.
        while folder.path.hasPrefix(URL(fileURLWithPath: path).path + "/"), rmdir(folder.path) == 0 {
            folder.deleteLastPathComponent()
        }
    }
}
