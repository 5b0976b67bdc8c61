// Saved sessions: the file format, and saving and restoring.

public import InferSupport
import InferTokenizers

/// A saved session. All numbers are little-endian:
///
/// | offset | type | content |
/// |-------:|------|---------|
/// | 0      | 8 bytes | `SWINFSES` |
/// | 8      | u32  | version, 1 |
/// | 12     | u32  | zero |
/// | 16     | u64  | tokenizer fingerprint |
/// | 24     | u64  | number of tokens n |
/// | 32     | i32 × n | the tokens |
/// | 32 + 4n | u64 | checksum (64-bit FNV-1a) of everything before |
struct SessionFile {
    /// Identifies the vocabulary the tokens belong to.
    let tokenizerFingerprint: UInt64
    /// The session's tokens.
    let tokens: [TokenID]

    private static let magic = Array("SWINFSES".utf8)
    private static let version: UInt32 = 1
    private static let headerSize = 32

    /// The content of a file that is not written yet.
    init(tokenizerFingerprint: UInt64, tokens: [TokenID]) {
        self.tokenizerFingerprint = tokenizerFingerprint
        self.tokens = tokens
    }

    /// Reads the file at `path` and checks all of it.
    init(path: String) throws(InferenceError) {
        let file = try MappedFile(path: path)
        let bytes = file.bytes
        func damaged(_ what: String) -> InferenceError {
            InferenceError(.unreadableFile, "\(path) is not a saved session: \(what)")
        }
        func load<T: FixedWidthInteger & BitwiseCopyable>(_ offset: Int, as type: T.Type) -> T {
            T(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: type))
        }
        guard bytes.count >= Self.headerSize + 8 else { throw damaged("it has only \(bytes.count) bytes") }
        guard bytes.starts(with: Self.magic) else { throw damaged("it does not begin with SWINFSES") }
        let version = load(8, as: UInt32.self)
        guard version == Self.version, load(12, as: UInt32.self) == 0 else {
            throw damaged("its version is \(version), but only \(Self.version) is known")
        }
        let count = load(24, as: UInt64.self)
        let payload = bytes.count - Self.headerSize - 8
        guard payload.isMultiple(of: 4), count == payload / 4 else {
            throw damaged("it claims \(count) tokens, but its size is \(bytes.count) bytes")
        }
        guard load(bytes.count - 8, as: UInt64.self) == Self.checksum(bytes.dropLast(8)) else {
            throw damaged("its checksum is wrong")
        }
        tokenizerFingerprint = load(16, as: UInt64.self)
        tokens = (0..<payload / 4).map { load(Self.headerSize + 4 * $0, as: TokenID.self) }
    }

    /// Writes it to `path`. An existing file is replaced.
    func write(to path: String) throws(InferenceError) {
        var bytes = Self.magic
        func append(_ value: some FixedWidthInteger) {
            withUnsafeBytes(of: value.littleEndian) { bytes += $0 }
        }
        append(Self.version)
        append(UInt32(0))
        append(tokenizerFingerprint)
        append(UInt64(tokens.count))
        for token in tokens { append(token) }
        append(Self.checksum(bytes))
        let file = try OutputFile(replacing: path)
        try file.append(bytes)
        try file.commit()
    }

    private static func checksum(_ bytes: some Sequence<UInt8>) -> UInt64 {
        bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }
}

extension Session {
    /// Writes the session's tokens to a file. The file appears complete or not at all.
    ///
    /// - Throws: ``InferenceError``: `unwritableFile`, or `busy` during a generation.
    public func save(to path: String) throws(InferenceError) {
        try requireIdle()
        let file = SessionFile(tokenizerFingerprint: model.tokenizer.fingerprint, tokens: tokens)
        try file.write(to: path)
    }

    /// Replaces the session's tokens by those of a saved session. The file holds no keys and values, so the next generation
    /// evaluates the tokens of its prompt again.
    ///
    /// - Throws: ``InferenceError``: `unreadableFile` for a damaged file, `invalidArgument` for a file of another tokenizer,
    ///   `contextFull` if the tokens do not fit, or `busy` during a generation. The session is then unchanged.
    public func restore(from path: String) throws(InferenceError) {
        try requireIdle()
        let file = try SessionFile(path: path)
        guard file.tokenizerFingerprint == model.tokenizer.fingerprint else {
            throw InferenceError(.invalidArgument, "\(path) was saved with a model of another vocabulary")
        }
        guard file.tokens.count <= contextLength else {
            throw InferenceError(
                .contextFull, "\(path) holds \(file.tokens.count) tokens, but the context only \(contextLength)")
        }
        guard file.tokens.allSatisfy((0..<TokenID(clamping: model.tokenizer.count)).contains) else {
            throw InferenceError(.unreadableFile, "\(path) holds a token outside the vocabulary")
        }
        try sequence.replace(with: file.tokens)
    }
}
