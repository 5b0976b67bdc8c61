// Where the operands of a timed kernel lie, and how large this machine's caches are.

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A level of the memory hierarchy that operands are made to fit.
enum WorkingSet: String, CaseIterable, Encodable {
    case l1 = "L1"
    case l2 = "L2"
    case l3 = "L3"
    case memory = "memory"

    /// Bytes of operands for each of `threads` threads: half of a cache, or far more than all caches.
    func bytes(threads: Int) -> Int {
        switch self {
        case .l1: Self.cacheBytes(level: 1) / 2
        case .l2: Self.cacheBytes(level: 2) / 2
        case .l3: max(Self.cacheBytes(level: 3) / 2 / threads, 2 * Self.cacheBytes(level: 2))
        case .memory: min(max(4 * Self.cacheBytes(level: 3), 128 << 20), 1 << 30) / threads
        }
    }

    /// Size of a cache for data; a usual one where the system does not say.
    static func cacheBytes(level: Int) -> Int {
        let usual = [1: 32 << 10, 2: 1 << 20, 3: 16 << 20]
        return reported(level) ?? usual[level] ?? 0
    }

    #if canImport(Darwin)
        private static func reported(_ level: Int) -> Int? {
            var bytes = 0
            var size = MemoryLayout<Int>.size
            let name = level == 1 ? "hw.perflevel0.l1dcachesize" : "hw.perflevel0.l\(level)cachesize"
            return sysctlbyname(name, &bytes, &size, nil, 0) == 0 && bytes > 0 ? bytes : nil
        }
    #else
        private static func reported(_ level: Int) -> Int? {
            // A few entries: instructions and data of the first level, then one for each further level.
            for entry in 0..<8 {
                let folder = "/sys/devices/system/cpu/cpu0/cache/index\(entry)"
                guard MachineDescription.contents("\(folder)/level") == "\(level)",
                    MachineDescription.contents("\(folder)/type") != "Instruction",
                    let size = MachineDescription.contents("\(folder)/size"), size.hasSuffix("K"),
                    let kibibytes = Int(size.dropLast()), (1...1 << 24).contains(kibibytes)
                else { continue }
                return kibibytes << 10
            }
            return systemConfiguration(level)
        }

        #if canImport(Glibc)
            private static func systemConfiguration(_ level: Int) -> Int? {
                let names = [1: _SC_LEVEL1_DCACHE_SIZE, 2: _SC_LEVEL2_CACHE_SIZE, 3: _SC_LEVEL3_CACHE_SIZE]
                return names[level].map { sysconf(Int32($0)) }.flatMap { $0 > 0 ? $0 : nil }
            }
        #else
            private static func systemConfiguration(_: Int) -> Int? { nil }
        #endif
    #endif
}
