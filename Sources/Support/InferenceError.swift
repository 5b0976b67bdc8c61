// The one error type of the package.

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// Everything that can go wrong on the way from a model file to text.
///
/// The set of codes is open: new ones may appear in a minor release, so a `switch` over ``Code-swift.struct`` needs a default.
public struct InferenceError: Error, Sendable {
    /// What kind of failure this is.
    public let code: Code
    /// One sentence for a person: names the file, key, tensor, offset or limit concerned. Names from files and command lines
    /// can hold anything, so control and other invisible characters stand in it as `\u{…}`.
    public let message: String
    /// The error underneath, when there is one.
    public let cause: (any Error)?

    /// An error of kind `code`, described by `message`.
    public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message.escaped
        self.cause = cause
    }
}

extension InferenceError {
    /// The kind of an ``InferenceError``.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Storage: String {
            case unreadableFile, malformedModel, unsupportedModel, unsupportedTensorType, unsupportedTokenizer
            case unsupportedArchitecture, unsupportedTemplate, invalidArgument, contextFull, outOfMemory, busy
            case cancelled, unwritableFile, malformedDatastore, incompatibleDatastore, unavailableDevice
            case deviceFailure
        }
        private let storage: Storage
        private init(_ storage: Storage) { self.storage = storage }

        /// A file cannot be opened, mapped or read.
        public static let unreadableFile = Code(.unreadableFile)
        /// A file cannot be created or written.
        public static let unwritableFile = Code(.unwritableFile)
        /// The model file contradicts its format or itself.
        public static let malformedModel = Code(.malformedModel)
        /// The model file is sound, but uses a feature this engine does not have.
        public static let unsupportedModel = Code(.unsupportedModel)
        /// A tensor has an element type this engine does not compute with.
        public static let unsupportedTensorType = Code(.unsupportedTensorType)
        /// The tokenizer or its pre-tokenizer is not known.
        public static let unsupportedTokenizer = Code(.unsupportedTokenizer)
        /// The model's architecture is not known.
        public static let unsupportedArchitecture = Code(.unsupportedArchitecture)
        /// The model's chat template is not one that is recognised.
        public static let unsupportedTemplate = Code(.unsupportedTemplate)
        /// A datastore contradicts its format or itself.
        public static let malformedDatastore = Code(.malformedDatastore)
        /// A datastore is sound, but was built for another tokenizer or by a newer version.
        public static let incompatibleDatastore = Code(.incompatibleDatastore)
        /// A value given by the caller is out of range.
        public static let invalidArgument = Code(.invalidArgument)
        /// The prompt and its continuation no longer fit the context.
        public static let contextFull = Code(.contextFull)
        /// Memory could not be had.
        public static let outOfMemory = Code(.outOfMemory)
        /// No device of the kind asked for can be used on this machine.
        public static let unavailableDevice = Code(.unavailableDevice)
        /// A device stopped working, or its driver failed.
        public static let deviceFailure = Code(.deviceFailure)
        /// The session is generating already.
        public static let busy = Code(.busy)
        /// The surrounding task was cancelled.
        public static let cancelled = Code(.cancelled)

        /// The code's name, as in the source.
        public var description: String { storage.rawValue }
    }
}

extension InferenceError: CustomStringConvertible {
    /// The message, followed by the cause's when there is one.
    public var description: String {
        guard let cause else { return message }
        return "\(message): \("\(cause)".escaped)"
    }
}

extension InferenceError: LocalizedError {
    /// What `localizedDescription` gives for any error: the ``description``.
    public var errorDescription: String? { description }
}
