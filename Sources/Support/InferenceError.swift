// The error type of the package, and text that is safe in its messages.

#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

/// An error of this package.
///
/// The set of codes is open: a minor release may add some, so a `switch` over ``Code-swift.struct`` needs a default.
public struct InferenceError: Error, Sendable {
    /// The kind of the error.
    public let code: Code
    /// One sentence for a person. It names the file, key, tensor, offset or limit concerned. Names from files and command lines
    /// can contain anything, so control characters and other invisible characters are written as `\u{…}`.
    public let message: String
    /// The error that caused this one, if any.
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
            case deviceFailure, refusedByTemplate, incompleteAnswer, unloaded
        }
        private let storage: Storage
        private init(_ storage: Storage) { self.storage = storage }

        /// A file cannot be opened, mapped or read.
        public static let unreadableFile = Code(.unreadableFile)
        /// A file cannot be created or written.
        public static let unwritableFile = Code(.unwritableFile)
        /// The model file contradicts its format or itself.
        public static let malformedModel = Code(.malformedModel)
        /// The model file is valid but uses a feature that this engine does not have.
        public static let unsupportedModel = Code(.unsupportedModel)
        /// A tensor has an element type that this engine cannot compute with.
        public static let unsupportedTensorType = Code(.unsupportedTensorType)
        /// The tokenizer or its pre-tokenizer is unknown.
        public static let unsupportedTokenizer = Code(.unsupportedTokenizer)
        /// The model's architecture is unknown.
        public static let unsupportedArchitecture = Code(.unsupportedArchitecture)
        /// The model has no chat template, or one that cannot be parsed or executed.
        public static let unsupportedTemplate = Code(.unsupportedTemplate)
        /// The chat template refuses the conversation; the message is the template's.
        public static let refusedByTemplate = Code(.refusedByTemplate)
        /// A datastore contradicts its format or itself.
        public static let malformedDatastore = Code(.malformedDatastore)
        /// The datastore is valid but was built for another tokenizer or by a newer version.
        public static let incompatibleDatastore = Code(.incompatibleDatastore)
        /// An argument is out of range.
        public static let invalidArgument = Code(.invalidArgument)
        /// The prompt and its continuation do not fit into the context.
        public static let contextFull = Code(.contextFull)
        /// A limit ended an answer before the value that it should be was complete.
        public static let incompleteAnswer = Code(.incompleteAnswer)
        /// Memory cannot be allocated.
        public static let outOfMemory = Code(.outOfMemory)
        /// This machine has no usable device of the requested kind.
        public static let unavailableDevice = Code(.unavailableDevice)
        /// A device or its driver failed.
        public static let deviceFailure = Code(.deviceFailure)
        /// The session is already generating.
        public static let busy = Code(.busy)
        /// The surrounding task was cancelled.
        public static let cancelled = Code(.cancelled)

        /// The model is unloaded.
        public static let unloaded = Code(.unloaded)

        /// The name of the code, such as `malformedModel`.
        public var description: String { storage.rawValue }
    }
}

extension InferenceError: CustomStringConvertible {
    /// The message, followed by the description of the cause, if any.
    public var description: String {
        guard let cause else { return message }
        return "\(message): \("\(cause)".escaped)"
    }
}

extension InferenceError: LocalizedError {
    /// The ``description``, so that `localizedDescription` returns it.
    public var errorDescription: String? { description }
}

// MARK: Text in messages

extension String {
    /// The first 80 characters of the text, ``escaped``, for quoting in a message: a hostile file can neither flood nor control
    /// the terminal.
    package var printable: String {
        var rest = unicodeScalars[...]
        let start = String(rest.prefix(80))
        rest = rest.dropFirst(80)
        return rest.isEmpty ? start.escaped : start.escaped + "…"
    }

    /// The text with line breaks, control characters and invisible characters written as `\u{…}`.
    package var escaped: String {
        // Fast path: almost every text is printable ASCII.
        if utf8.allSatisfy({ (0x20..<0x7f).contains($0) }) { return self }
        var result = ""
        for scalar in unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned, .surrogate:
                result += "\\u{\(String(scalar.value, radix: 16))}"
            default:
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
