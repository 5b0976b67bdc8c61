// The size and precision of a session's memory.

import InferGGUF
import InferSupport
public import InferTensors
import InferTransformer

extension Session {
    /// What a session keeps.
    public struct Options: Sendable {
        /// Most tokens of prompt and answer together; nil for what the model was trained for, at most 4096.
        public var contextLength: Int?
        /// How keys and values are stored.
        public var cacheType = KVCacheType.f16
        /// The drafter: by default CodeSwift over the git repository around the working directory, with what it learned there
        /// before; ``DrafterChoice/none`` for plain decoding.
        public var drafter = DrafterChoice.codeSwift()

        /// A session for `contextLength` tokens.
        public init(contextLength: Int? = nil, cacheType: KVCacheType = .f16, drafter: DrafterChoice = .codeSwift()) {
            self.contextLength = contextLength
            self.cacheType = cacheType
            self.drafter = drafter
        }

        /// Beyond this, sizes in bytes could overflow.
        private static let largestContextLength = 1 << 30
        private static let defaultContextLength = 4096

        /// The context length asked for, or the default one.
        ///
        /// - Throws: ``InferenceError`` with `invalidArgument` for one that is out of range.
        package func contextLength(of model: Model) throws(InferenceError) -> Int {
            try contextLength(trained: model.transformer.configuration.contextLength)
        }

        /// The same, for a model that was trained for `trained` tokens.
        func contextLength(trained: Int) throws(InferenceError) -> Int {
            guard let contextLength else { return max(1, min(trained, Self.defaultContextLength)) }
            guard (1...Self.largestContextLength).contains(contextLength) else {
                throw InferenceError(
                    .invalidArgument,
                    "a context length of \(contextLength) is not within 1…\(Self.largestContextLength)")
            }
            return contextLength
        }
    }
}
