// The re-exports of the modules below, in one file so that the whole public API is in sight.

@_exported public import InferDecoding
@_exported public import InferTokenizers

@_exported public import class InferCodeSwift.Datastore
@_exported public import struct InferCodeSwift.DatastoreBuilder
@_exported public import struct InferCodeSwift.IngestionOptions
@_exported public import enum InferCodeSwift.SkipReason
@_exported public import struct InferCodeSwift.SkipReport
@_exported public import struct InferCodeSwift.TokenizerIdentity
@_exported public import struct InferSupport.InferenceError
@_exported public import enum InferTensors.KVCacheType
