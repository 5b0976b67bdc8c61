// exp and log, which the standard library does not have.

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// eˣ
func exponential(_ x: Double) -> Double { exp(x) }

/// ln x
func logarithm(_ x: Double) -> Double { log(x) }
