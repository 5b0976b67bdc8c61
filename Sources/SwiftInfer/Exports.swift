// The re-exports of the modules below, in one file so that the whole public API is in sight.

@_exported public import InferDecoding
@_exported public import InferTokenizers

@_exported public import class InferCodeSwift.Datastore
@_exported public import struct InferCodeSwift.DatastoreBuilder
@_exported public import struct InferCodeSwift.IngestionOptions
@_exported public import enum InferCodeSwift.SkipReason
@_exported public import struct InferCodeSwift.SkipReport
@_exported public import struct InferCodeSwift.TokenizerIdentity
@_exported public import struct InferGrammar.Grammar
@_exported public import struct InferGrammar.JSONStyle
@_exported public import struct InferSupport.InferenceError
@_exported public import struct InferSupport.JSONObject
@_exported public import enum InferSupport.JSONValue
@_exported public import struct InferTemplates.AnswerParser
@_exported public import enum InferTemplates.AnswerPart
@_exported public import struct InferTemplates.ChatFormat
@_exported public import struct InferTemplates.ChatMessage
@_exported public import struct InferTemplates.ChatOptions
@_exported public import struct InferTemplates.ChatTemplate
@_exported public import struct InferTemplates.TemplateDate
@_exported public import struct InferTemplates.ToolCall
@_exported public import struct InferTemplates.ToolDefinition
@_exported public import enum InferTensors.KVCacheType

extension InferenceError.Code {
    /// Whether `error` is an ``InferenceError`` of that code: `catch InferenceError.Code.contextFull { … }`. Here, because an operator of a
    /// module below is not visible to whoever imports this one.
    public static func ~= (code: Self, error: any Error) -> Bool { (error as? InferenceError)?.code == code }
}
