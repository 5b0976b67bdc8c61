// Which types take the place of the one asked for.

import InferGGUF

extension TensorType {
    /// The type of the output matrix in a file whose other matrices have this type: it decides most, and is kept at six
    /// bits or more.
    var outputMatrixType: TensorType { [.q8_0, .f16, .bf16, .f32].contains(self) ? self : .q6_K }

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
        let shorter: [TensorType: TensorType] = [
            .q2_K: .q4_0, .q3_K: .q4_0, .q4_K: .q5_0, .q5_K: .q5_1, .q6_K: .q8_0, .iq4_xs: .iq4_nl,
        ]
        guard let type = shorter[self], columns.isMultiple(of: type.blockSize) else { return .f16 }
        return type
    }

    /// What the format writes under `general.file_type` for a file whose matrices have this type (`llama_ftype`); nil
    /// for types no such number exists for.
    var fileType: UInt32? {
        let numbers: [TensorType: UInt32] = [
            .f32: 0, .f16: 1, .q4_0: 2, .q4_1: 3, .q8_0: 7, .q5_0: 8, .q5_1: 9, .q2_K: 10, .q3_K: 11, .q4_K: 14,
            .q5_K: 16, .q6_K: 18, .iq4_nl: 25, .iq4_xs: 30, .bf16: 32, .mxfp4: 38,
        ]
        return numbers[self]
    }
}
