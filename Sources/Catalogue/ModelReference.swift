// Where models come from: repositories on Hugging Face's hub, and URLs.

#if canImport(FoundationEssentials)
package import FoundationEssentials
#else
package import Foundation
#endif

/// A model by the place that it comes from.
package enum ModelReference: Equatable {
    /// `hf:OWNER/NAME` or `hf:OWNER/NAME:CHOICE`: a file of a repository on the hub.
    case hub(HubRepository, choice: String?)
    /// A URL of a file.
    case url(URL)

    /// Parses a reference; nil for anything else, such as a name.
    package init?(_ text: String) {
        // What people copy from other programs and from web pages.
        for prefix in ["hf:", "hf.co/", "huggingface.co/", "https://huggingface.co/", "https://hf.co/"]
        where text.lowercased().hasPrefix(prefix) {
            let rest = text.dropFirst(prefix.count)
            let parts = rest.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            if let repository = HubRepository(parts[0]), parts.count < 2 || !parts[1].isEmpty {
                self = .hub(repository, choice: parts.count > 1 ? parts[1] : nil)
                return
            }
            if prefix.hasPrefix("hf") { return nil }
        }
        guard text.contains("://"), let url = URL(string: text), url.scheme != nil, url.host?.isEmpty == false else {
            return nil
        }
        self = .url(url)
    }
}

/// A repository, written OWNER/NAME.
package struct HubRepository: Hashable, Sendable {
    package let owner: String
    package let name: String

    /// Parses OWNER/NAME; nil if a part is empty or has characters that no repository has.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, parts.allSatisfy(Self.isName) else { return nil }
        (owner, name) = (parts[0], parts[1])
    }

    /// OWNER/NAME.
    package var path: String { "\(owner)/\(name)" }

    private static func isName(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 96 && !text.hasPrefix(".") && !text.hasPrefix("-")
            && text.unicodeScalars.allSatisfy {
                $0.isASCII
                    && ($0.properties.isAlphabetic || ("0"..."9").contains($0) || "-_.".unicodeScalars.contains($0))
            }
    }
}
