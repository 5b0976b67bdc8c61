// The folder of fetched models.

import InferSupport

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// A folder of fetched models. Models from the hub lie in OWNER/NAME, so that equal names of files do not meet; others in the folder itself.
package struct ModelFolder: Sendable {
    /// A model's file, or the first of a split model.
    package struct File: Equatable {
        package let path: String
        /// The repository on the hub that it comes from.
        let repository: HubRepository?

        /// A model whose first file is at `path`.
        package init(path: String, repository: HubRepository?) {
            (self.path, self.repository) = (path, repository)
        }

        /// The name without folder, ending and number of a part.
        package var name: String { SplitFile.stem(of: Catalogue.name(ofFile: path)) }
        /// The quantisation that the name ends with.
        package var quantisation: String? { Quantisation.name(ofFile: path) }
        /// A name that no other fetched model has.
        package var uniqueName: String {
            repository.map { "\($0.path):\(quantisation ?? Catalogue.name(ofFile: path))" } ?? name
        }
        /// The paths of all files of the model.
        package var paths: [String] {
            guard let place = SplitFile.place(of: path) else { return [path] }
            return (1...place.count).map { SplitFile.path(ofPart: $0, like: path) }
        }
    }

    /// The path of the folder, which may not exist.
    package let path: String

    /// The folder at `path`.
    package init(path: String) { self.path = path }

    /// The user's folder: `SWIFTINFER_MODELS`, or `swiftinfer/models` in the user's cache folder.
    package static var user: ModelFolder {
        func variable(_ name: String) -> String? {
            getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
        }
        let cache = variable("XDG_CACHE_HOME") ?? (variable("HOME") ?? "") + "/.cache"
        return ModelFolder(path: variable("SWIFTINFER_MODELS") ?? cache + "/swiftinfer/models")
    }

    /// The folder for a repository's files.
    package func path(of repository: HubRepository) -> String { "\(path)/\(repository.path)" }

    /// All models in the folder, by name.
    package var files: [File] {
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
    package func files(of repository: HubRepository, fitting choice: String?) -> [File] {
        models(in: path(of: repository), repository).filter { file in
            guard let choice = choice?.uppercased() else { return true }
            return file.quantisation == choice || file.name.uppercased() == choice
                || URL(fileURLWithPath: file.path).lastPathComponent.uppercased() == choice
        }
    }

    /// The fetched models that `name` can mean: the name of a file with or without its ending, or OWNER/NAME with or without a quantisation.
    package func files(named name: String) -> [File] {
        if case .hub(let repository, let choice)? = ModelReference(name) ?? ModelReference("hf:\(name)") {
            return files(of: repository, fitting: choice)
        }
        guard !name.contains("/") else { return [] }
        return files.filter {
            $0.name == Catalogue.name(ofFile: name) || Catalogue.name(ofFile: $0.path) == Catalogue.name(ofFile: name)
        }
    }

    private func models(in folder: String, _ repository: HubRepository?) -> [File] {
        names(in: folder).filter {
            Quantisation.isModel($0) && SplitFile.place(of: $0)?.number ?? 1 == 1
        }.map { File(path: "\(folder)/\($0)", repository: repository) }
    }

    private func names(in folder: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).filter { !$0.hasPrefix(".") }.sorted()
    }

    /// The targets of interrupted transfers.
    package var partialFiles: [String] {
        var folders = [path]
        for owner in names(in: path) { folders += names(in: "\(path)/\(owner)").map { "\(path)/\(owner)/\($0)" } }
        return folders.flatMap { folder in
            names(in: folder).filter { $0.hasSuffix(".gguf.part") }.map { "\(folder)/\($0.dropLast(5))" }
        }
    }

    /// The size of a file in bytes; nil if there is none.
    package static func size(of path: String) -> Int? {
        var status = stat()
        return stat(path, &status) == 0 ? Int(status.st_size) : nil
    }

    /// Removes the folders of a repository that has no files any more.
    package func removeEmptyFolders(above file: String) {
        var folder = URL(fileURLWithPath: file).deletingLastPathComponent()
        // `rmdir` refuses a folder that has files.
        while folder.path.hasPrefix(URL(fileURLWithPath: path).path + "/"), rmdir(folder.path) == 0 {
            folder.deleteLastPathComponent()
        }
    }
}
