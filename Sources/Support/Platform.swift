// Exports the C library of the platform to all modules. It is a file of its own as the one place of platform imports.

#if canImport(Glibc)
@_exported public import Glibc
#elseif canImport(Musl)
@_exported public import Musl
#elseif canImport(Darwin)
@_exported public import Darwin
#endif
