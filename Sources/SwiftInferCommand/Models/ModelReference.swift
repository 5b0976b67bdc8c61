// What `swiftinfer pull` is asked to fetch.

package import Foundation

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
