// Saved sessions: the file format, and saving and restoring.

import InferDecoding
public import InferSupport
import InferTensors
import InferTokenizers
import InferTransformer

/// A saved session. All numbers are little-endian:
///
/// | offset | type | content |
/// |-------:|------|---------|
/// | 0      | 8 bytes | `SWINFSES` |
/// | 8      | u32  | version, 2 |
/// | 12     | u32  | zero |
/// | 16     | u64  | tokenizer fingerprint |
/// | 24     | u64  | number of tokens n |
/// | 32     | u64  | identity of the state: ``SequenceState/identity`` |
/// | 40     | u64  | number of tokens that the state has taken in, at most n |
/// | 48     | u64  | zero |
/// | 56     | u64  | zero |
/// | 64     | i32 × n | the tokens |
/// | 64 + 4n | bytes | the state: ``SequenceSnapshot/write(to:)`` |
/// | size − 8 | u64 | checksum (XXH64) of everything before |
struct SessionFile {
    /// Identifies the vocabulary the tokens belong to.
    let tokenizerFingerprint: UInt64
    /// The session's tokens.
    let tokens: [TokenID]
    /// The sequences that can take in the state, and how many tokens it is of.
    let stateIdentity: UInt64, stateCount: Int
    private let file: MappedFile

    private static let magic = Array("SWINFSES".utf8)
    private static let version: UInt32 = 2
    private static let headerSize = 64

    /// Reads the file at `path` and checks all of it.
    init(path: String) throws(InferenceError) {
        file = try MappedFile(path: path)
        let bytes = file.bytes
        func damaged(_ what: String) -> InferenceError {
            InferenceError(.unreadableFile, "\(path) is not a saved session: \(what)")
        }
        func load<T: FixedWidthInteger & BitwiseCopyable>(_ offset: Int, as type: T.Type) -> T {
            T(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: type))
        }
        guard bytes.count >= 16 else { throw damaged("it has only \(bytes.count) bytes") }
        guard bytes.starts(with: Self.magic) else { throw damaged("it does not begin with SWINFSES") }
        let version = load(8, as: UInt32.self)
        guard version == Self.version else {
            throw damaged("its version is \(version), but only \(Self.version) is known")
        }
        guard bytes.count >= Self.headerSize + 8 else { throw damaged("it has only \(bytes.count) bytes") }
        let count = load(24, as: UInt64.self)
        let payload = bytes.count - Self.headerSize - 8
        guard count <= payload / 4 else {
            throw damaged("it claims \(count) tokens, but its size is \(bytes.count) bytes")
        }
        let stateCount = load(40, as: UInt64.self)
        guard stateCount <= count else {
            throw damaged("it claims a state of \(stateCount) tokens, but has only \(count)")
        }
        let checksum = XXHash64.hash(UnsafeRawBufferPointer(rebasing: bytes.dropLast(8)))
        guard load(bytes.count - 8, as: UInt64.self) == checksum else { throw damaged("its checksum is wrong") }
        tokenizerFingerprint = load(16, as: UInt64.self)
        stateIdentity = load(32, as: UInt64.self)
        self.stateCount = Int(stateCount)
        tokens = (0..<Int(count)).map { load(Self.headerSize + 4 * $0, as: TokenID.self) }
    }

    /// Lends the bytes of the state to `body`.
    func withState<R>(_ body: (inout ByteSource) throws(InferenceError) -> R) throws(InferenceError) -> R {
        let start = Self.headerSize + 4 * tokens.count
        var source = ByteSource(UnsafeRawBufferPointer(rebasing: file.bytes[start..<file.bytes.count - 8]))
        return try body(&source)
    }

    /// Writes `tokens`, and `snapshot` of the first of them, to `path`. An existing file is replaced.
    static func write(
        _ tokens: [TokenID], _ snapshot: SequenceSnapshot, tokenizerFingerprint: UInt64, to path: String
    ) throws(InferenceError) {
        var header = magic
        header.appendLittleEndian(version)
        header.appendLittleEndian(UInt32(0))
        for value in [
            tokenizerFingerprint, UInt64(tokens.count), snapshot.identity, UInt64(snapshot.count), 0, 0,
        ] { header.appendLittleEndian(value) }
        for token in tokens { header.appendLittleEndian(token) }
        let file = try OutputFile(replacing: path)
        var hash = XXHash64()
        let sink: ByteSink = { bytes throws(InferenceError) in
            hash.append(bytes)
            try file.append(bytes)
        }
        try header.withBytes(sink)
        try snapshot.write(to: sink)
        var checksum: [UInt8] = []
        checksum.appendLittleEndian(hash.value)
        try file.append(checksum)
        try file.commit()
    }
}

extension Session {
    /// Writes the session's tokens, and what the model computed for them, to a file. The file appears complete or not at all.
    ///
    /// Keys and values take the same room as in memory, and while they are written, once more there.
    ///
    /// - Throws: ``InferenceError``: `unwritableFile`, `outOfMemory`, or `busy` during a generation.
    public func save(to path: String) throws(InferenceError) {
        try requireIdle()
        let sequence = try sequence
        let snapshot = try sequence.snapshot(of: sequence.evaluatedCount)
        try SessionFile.write(
            sequence.tokens, snapshot, tokenizerFingerprint: model.tokenizer.fingerprint, to: path)
    }

    /// Replaces the session's tokens by those of a saved session, with all that was computed for them.
    ///
    /// If the model's file, its place on the devices, the type of the cache or the rotation of keys was another one, what was computed
    /// does not count: the next generation evaluates the tokens of its prompt again.
    ///
    /// - Throws: ``InferenceError``: `unreadableFile` for a damaged file, `invalidArgument` for a file of another tokenizer,
    ///   `contextFull` if the tokens do not fit, `outOfMemory`, or `busy` during a generation. The session is then unchanged.
    public func restore(from path: String) throws(InferenceError) {
        try requireIdle()
        let sequence = try sequence
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
        var snapshot: SequenceSnapshot?
        if file.stateIdentity == sequence.state.identity {
            snapshot = try file.withState { source throws(InferenceError) in
                try sequence.state.readSnapshot(of: file.stateCount, from: &source)
            }
        }
        try sequence.replace(with: file.tokens, evaluated: snapshot)
    }
}
