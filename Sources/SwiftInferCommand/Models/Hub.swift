// Hugging Face's hub: the files of its repositories, and the choice among quantisations.

package import Foundation
package import InferCatalogue
package import InferSupport

/// The place that a repository's files come from.
package struct Hub: Sendable {
    /// A file of a repository.
    package struct File: Sendable, Equatable {
        /// The path in the repository.
        package let path: String
        package let size: Int?
        /// Nil for small files, which the hub does not keep by their digests.
        package let sha256: String?

        /// A file.
        package init(path: String, size: Int?, sha256: String?) {
            (self.path, self.size, self.sha256) = (path, size, sha256)
        }
    }

    private let endpoint: URL
    private let token: String?
    private let patience: Int

    /// The hub at `HF_ENDPOINT` or huggingface.co. Requests carry the token `HF_TOKEN`, if it is set.
    ///
    /// - Throws: ``InferenceError`` with `invalidArgument` for malformed variables. Messages do not have the token.
    init(patience: Int) throws(InferenceError) {
        func variable(_ name: String) -> String? {
            Terminal.environment(name).flatMap { $0.isEmpty ? nil : $0 }
        }
        let address = variable("HF_ENDPOINT") ?? "https://huggingface.co"
        guard let endpoint = URL(string: address.hasSuffix("/") ? address : address + "/"), endpoint.host != nil else {
            throw InferenceError(.invalidArgument, "HF_ENDPOINT is not a URL: \(address.printable)")
        }
        token = variable("HF_TOKEN")
        guard token?.utf8.allSatisfy({ (0x21..<0x7f).contains($0) }) ?? true else {
            throw InferenceError(.invalidArgument, "HF_TOKEN has characters that no token has")
        }
        self.endpoint = endpoint
        self.patience = patience
    }

    /// What to do if the hub does not allow a transfer.
    func hint(_ repository: HubRepository) -> String {
        token == nil
            ? "the repository may not exist, or be private, or want its terms accepted on its page: then set HF_TOKEN"
            : "the token HF_TOKEN may not be valid, or the repository wants its terms accepted on its page"
    }

    /// The token, if `url` is of the hub.
    func token(for url: URL) -> String? { url.hasSameOrigin(as: endpoint) ? token : nil }

    /// The download of `file` to `target`.
    func download(_ file: File, of repository: HubRepository, to target: String) -> Download {
        var download = Download(url: url("\(repository.path)/resolve/main/\(file.path)"), target: target)
        download.size = file.size
        download.sha256 = file.sha256
        download.token = token
        download.hint = hint(repository)
        download.patience = patience
        return download
    }

    /// The model files of `repository`.
    ///
    /// - Throws: ``WebTransfer/Failure``, or ``InferenceError``.
    func modelFiles(of repository: HubRepository) throws -> [File] {
        var files: [File] = []
        var next: URL? = URL(string: "?recursive=true", relativeTo: url("api/models/\(repository.path)/tree/main"))
        // Lists of a thousand files come in pages.
        for _ in 0..<20 {
            guard let page = next?.absoluteURL else { break }
            let transfer = try WebTransfer(WebTransfer.Request(url: page, token: token, patience: patience))
            guard transfer.head.status == 200 else {
                switch transfer.head.status {
                case 401, 403: throw transfer.failure(hint: hint(repository))
                case 404: throw transfer.failure(hint: "is \(repository.path) the right name?")
                default: throw transfer.failure()
                }
            }
            guard let list = Self.files(in: try transfer.contents(limit: 1 << 25)) else {
                throw WebTransfer.Failure(message: "\(page.shown) is not a list of files", isTransient: false)
            }
            files += list
            next = transfer.head.headers["link"].flatMap { Self.nextPage(in: $0, relativeTo: page) }
        }
        return files.filter { Quantisation.isModel($0.path) }.sorted { $0.path < $1.path }
    }

    private func url(_ path: String) -> URL {
        // Each part is encoded by itself. "?" and "#" in a name must not end the path.
        let encoded = path.split(separator: "/").map {
            $0.addingPercentEncoding(withAllowedCharacters: .alphanumerics.union(CharacterSet(charactersIn: "-_.~+")))
                ?? ""
        }
        return URL(string: encoded.joined(separator: "/"), relativeTo: endpoint)?.absoluteURL ?? endpoint
    }

    /// The files in an answer of the hub's interface `api/models/…/tree`; nil if it is something else.
    package static func files(in answer: [UInt8]) -> [File]? {
        struct Item: Decodable {
            struct Large: Decodable {
                let oid: String
                let size: Int?
            }
            let type: String
            let path: String
            let size: Int?
            let lfs: Large?
        }
        guard let items = try? JSONDecoder().decode([Item].self, from: Data(answer)) else { return nil }
        return items.filter { $0.type == "file" }.map { item in
            let digest = item.lfs?.oid.lowercased().replacing("sha256:", with: "")
            return File(
                path: item.path, size: item.lfs?.size ?? item.size,
                sha256: digest.flatMap { SHA256.isDigest($0) ? $0 : nil })
        }
    }

    /// The next page by a header `Link: <URL>; rel="next"`.
    package static func nextPage(in header: String, relativeTo page: URL) -> URL? {
        for link in header.split(separator: ",") where link.contains("rel=\"next\"") {
            guard let start = link.firstIndex(of: "<"), let end = link.firstIndex(of: ">"), start < end else {
                continue
            }
            let url = URL(string: String(link[link.index(after: start)..<end]), relativeTo: page)?.absoluteURL
            // The token goes along, so the page must be the hub's.
            if let url, url.hasSameOrigin(as: page) { return url }
        }
        return nil
    }
}

extension Hub {
    /// The files of the model that is chosen from `files`: one, or all parts of a split model.
    ///
    /// - Parameter choice: A quantisation such as `q4_k_m` or a file's name; nil for the best of ``Quantisation/preferred``.
    /// - Throws: ``InferenceError`` with `invalidArgument` if the choice fits no file or several. The message lists what there is.
    package static func choose(
        _ choice: String?, from files: [File], of repository: HubRepository
    ) throws(InferenceError) -> [File] {
        // The first part stands for a split model.
        let models = files.filter { SplitFile.place(of: $0.path).map { $0.number == 1 } ?? true }
        guard !models.isEmpty else {
            throw InferenceError(
                .invalidArgument,
                "hf:\(repository.path) has no GGUF files; the converted model is often in a repository NAME-GGUF")
        }
        var chosen: [File]
        if let choice {
            let wanted = choice.uppercased()
            chosen = models.filter { file in
                Quantisation.name(ofFile: file.path) == wanted || file.path.uppercased() == wanted
                    || file.path.uppercased().hasSuffix("/" + wanted)
                    || Catalogue.name(ofFile: file.path).uppercased() == wanted
            }
        } else if models.count == 1 {
            chosen = models
        } else {
            chosen =
                Quantisation.preferred.lazy.map { name in
                    models.filter { Quantisation.name(ofFile: $0.path) == name }
                }.first { !$0.isEmpty } ?? []
        }
        // Some repositories have the same model in one file and in several.
        if Set(chosen.map { SplitFile.stem(of: Catalogue.name(ofFile: $0.path)) }).count == 1 {
            chosen = Array((chosen.filter { SplitFile.place(of: $0.path) == nil } + chosen).prefix(1))
        }
        guard let file = chosen.first, chosen.count == 1 else {
            let names = (chosen.count > 1 ? chosen : models).map { file in
                (chosen.count > 1 ? nil : Quantisation.name(ofFile: file.path)) ?? file.path
            }.sorted()
            let problem =
                if chosen.count > 1 {
                    "several files fit"
                } else if let choice {
                    "no file fits \(choice.printable)"
                } else {
                    "it is unclear which file to take"
                }
            throw InferenceError(
                .invalidArgument,
                "hf:\(repository.path): \(problem); choose by hf:\(repository.path):QUANT from "
                    + names.map(\.printable).joined(separator: ", "))
        }
        guard let place = SplitFile.place(of: file.path) else { return [file] }
        return try (1...place.count).map { number throws(InferenceError) in
            let path = SplitFile.path(ofPart: number, like: file.path)
            guard let part = files.first(where: { $0.path == path }) else {
                throw InferenceError(
                    .invalidArgument, "hf:\(repository.path) lacks part \(number) of the model, \(path)")
            }
            return part
        }
    }
}
