// Which types take the place of the one asked for.

import InferGGUF
import InferTensors

extension TensorType {
    /// The type of the output matrix in a file whose other matrices have this type: it decides most, and is kept at six
    /// bits or more.
    var outputMatrixType: TensorType {
        let best = TensorType.q6_K
        return blockBytes * best.blockSize > best.blockBytes * blockSize ? self : best
    }

    /// What to take instead of `name`, when that is one of llama.cpp's mixtures such as Q4_K_M, whose matrices have several
    /// types; nil for other names.
    static func substitute(forMixture name: String) -> String? {
        let parts = name.lowercased().split(separator: "_")
        guard parts.count >= 3, parts[1] == "k", ["s", "m", "l", "xl"].contains(parts[2]) else { return nil }
        let base = parts[...1].joined(separator: "_")
        return "there are no mixtures of types here; \(base) is the type most matrices of \(name) have"
    }

    /// This type, or what takes its place where rows of `columns` do not fill its blocks: a type with shorter blocks
    /// and at least as many bits, and where those do not fit either, f16.
    func fitting(columns: Int) -> TensorType {
        if columns.isMultiple(of: blockSize) { return self }
        guard let type = TensorFormat(self)?.shorterType, columns.isMultiple(of: type.blockSize) else { return .f16 }
        return type
    }

    /// What the format writes under `general.file_type` for a file whose matrices have this type (`llama_ftype`); nil
    /// for types no such number exists for.
    var fileType: UInt32? { TensorFormat(self)?.fileType }
}
