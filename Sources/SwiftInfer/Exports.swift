// What the modules below offer to users of the library, so that one import is enough.

@_exported public import Decoding
@_exported public import GGUF
@_exported public import Tensors
@_exported public import Tokenizers
