// What the program keeps on disk for the user, and where.

import Foundation
import InferCodeSwift
import InferSupport

/// A kind of files that the program keeps.
enum StoredData: String, CaseIterable {
    case drafts, history, pipelines

    /// What it is, for people.
    var title: String {
        switch self {
        case .drafts: "what the drafter codeswift learned"
        case .history: "what was typed in conversations"
        case .pipelines: "compiled programs for Vulkan devices"
        }
    }

    /// How to turn it off.
    var remedy: String {
        switch self {
        case .drafts: "--no-draft-cache"
        case .history: "--no-history or SWIFTINFER_NOHISTORY=1"
        case .pipelines: "--backend cpu"
        }
    }

    /// The folder; it may not exist.
    ///
    /// - Throws: ``InferenceError`` with `unwritableFile` if the user has no such folder.
    func folder() throws(InferenceError) -> String {
        switch self {
        case .drafts: try DraftCache.standardFolder
        case .history: try UserFolder.state.path(for: "history")
        case .pipelines: try UserFolder.cache.path(for: "vulkan")
        }
    }

    /// The files in the folder. Links and folders are not among them.
    func files() -> [(path: String, bytes: Int)] {
        guard let folder = try? folder(), let names = try? FileManager.default.contentsOfDirectory(atPath: folder)
        else {
            return []
        }
        return names.sorted().compactMap { name in
            var status = stat()
            let path = "\(folder)/\(name)"
            guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
            return (path, Int(status.st_size))
        }
    }

    /// Says once, on a terminal, that these files are kept, where, and how to turn it off: when there are none yet.
    func announce() {
        guard Terminal.canRedraw, let folder = try? folder(), !FileManager.default.fileExists(atPath: folder) else {
            return
        }
        Output.standardError(
            Terminal.dimmed(
                "swiftinfer keeps \(title) in \(folder); \(remedy) turns that off, swiftinfer cache clear deletes it")
                + "\n")
    }
}
