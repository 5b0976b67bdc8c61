// Where the repository around a folder begins.

extension RepositoryStore {
    /// The top of the repository that the folder at `path` belongs to: the nearest folder with a `.git` in it, from `path` on
    /// upwards. Nil when there is none.
    package static func top(around path: String) -> String? {
        guard var place = AbsolutePath.resolve(path) else { return nil }
        while true {
            if AbsolutePath.resolve(place == "/" ? "/.git" : "\(place)/.git") != nil { return place }
            guard place != "/", let slash = place.lastIndex(of: "/") else { return nil }
            place = slash == place.startIndex ? "/" : String(place[..<slash])
        }
    }
}
