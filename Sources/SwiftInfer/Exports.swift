// What the modules below offer to users of the library, so that one import is enough.

@_exported public import InferDecoding
@_exported public import InferTensors
@_exported public import InferTokenizers

@_exported public import struct InferSupport.InferenceError
