// What the names of models' files say.

/// Quantisations as file names have them, such as `Q4_K_M`.
package enum Quantisation {
    /// What is taken when none is named, best first: good answers for half the size of eight bits, of a kind that nearly every repository has;
    /// then what is near it.
    package static let preferred = [
        "Q4_K_M", "UD-Q4_K_XL", "Q4_K_S", "Q4_1", "Q4_0", "MXFP4", "IQ4_NL", "IQ4_XS", "Q5_K_M", "Q6_K", "Q8_0",
    ]

    /// The quantisation that the name of a model's file ends with, in upper case; nil if it has none.
    package static func name(ofFile path: String) -> String? {
        let stem = Array(SplitFile.stem(of: Catalogue.name(ofFile: path)).uppercased())
        for (index, character) in stem.enumerated() where index == 0 || "-._".contains(stem[index - 1]) {
            guard character.isLetter else { continue }
            let rest = String(stem[index...])
            let name = rest.hasPrefix("UD-") ? String(rest.dropFirst(3)) : rest
            if isName(name) { return rest }
        }
        return nil
    }

    private static func isName(_ text: String) -> Bool {
        if ["F32", "F16", "BF16", "FP16", "MXFP4", "MXFP4_MOE", "TQ1_0", "TQ2_0"].contains(text) { return true }
        let rest = text.hasPrefix("IQ") ? text.dropFirst(2) : text.hasPrefix("Q") ? text.dropFirst() : ""
        guard let first = rest.first, ("1"..."8").contains(first) else { return false }
        return rest.allSatisfy { $0 == "_" || $0.isASCII && ($0.isLetter || $0.isNumber) }
    }

    /// Whether the file at `path` can be a model: some repositories also have image encoders and measurements for quantising.
    package static func isModel(_ path: String) -> Bool {
        let name = (path.split(separator: "/").last.map(String.init) ?? "").lowercased()
        return name.hasSuffix(".gguf") && !name.hasPrefix("mmproj") && !name.contains("imatrix")
    }
}

/// The names of the files of a split model: NAME-00001-of-00003.gguf and so on.
package enum SplitFile {
    /// Number and count in the name of a file; nil if it is not of a split model.
    package static func place(of path: String) -> (number: Int, count: Int)? {
        let stem = Catalogue.name(ofFile: path)
        let parts = stem.split(separator: "-", omittingEmptySubsequences: false).suffix(3).map(String.init)
        guard parts.count == 3, parts[1] == "of",
            [parts[0], parts[2]].allSatisfy({ $0.utf8.count == 5 && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }
            ),
            let number = Int(parts[0]), let count = Int(parts[2]), number >= 1, number <= count
        else { return nil }
        return (number, count)
    }

    /// A file's name without the number of a part.
    package static func stem(of name: String) -> String { place(of: name) == nil ? name : String(name.dropLast(15)) }

    /// The path of part `number` of the split model that has the file at `path`.
    package static func path(ofPart number: Int, like path: String) -> String {
        guard let place = place(of: path) else { return path }
        func padded(_ number: Int) -> String {
            String(repeating: "0", count: 5 - String(number).count) + String(number)
        }
        let start = path.dropLast("-00001-of-00001.gguf".count)
        return "\(start)-\(padded(number))-of-\(padded(place.count)).gguf"
    }
}
