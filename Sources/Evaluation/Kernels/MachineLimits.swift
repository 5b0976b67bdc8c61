// The measured limits of the machine, and the sizes of its caches.

import InferSupport
import InferTensors

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// The limits that the rates of kernels are compared with.
struct MachineLimits {
    /// Products per second on one thread, with operands in registers; nil if no kernels in C run here.
    let byteProducts: Double?, floatProducts: Double?
    /// Bytes per second read from each working set, all threads together.
    let reads: [(workingSet: WorkingSet, threads: Int, rate: Double)]

    /// Measures products with the instructions of `kernels` on one thread, and reads on one thread and on each number in
    /// `threads`.
    ///
    /// - Parameter memory: Room for the largest working set.
    init(_ kernels: TunedKernels?, threads: Set<Int>, memory: AlignedMemory) throws(InferenceError) {
        guard let kernels else {
            (byteProducts, floatProducts, reads) = (nil, nil, [])
            return
        }
        let single = try KernelTimer(threads: 1)
        // Enough rounds to make the cost of the call itself negligible.
        func rate(_ multiply: (_ rounds: Int) -> Int) -> Double {
            Double(multiply(1000)) / single.time { _, _ in _ = multiply(1000) }.minimum
        }
        byteProducts = rate { kernels.multiplyBytes(rounds: $0) }
        floatProducts = rate { kernels.multiplyFloats(rounds: $0) }
        var reads: [(WorkingSet, Int, Double)] = []
        for threads in threads.union([1]).sorted() {
            let timer = try KernelTimer(threads: threads)
            for set in WorkingSet.allCases {
                let bytes = set.bytes(threads: threads)
                let time = timer.time { thread, _ in kernels.read(bytes, memory.base + thread * bytes) }
                reads.append((set, threads, Double(bytes * threads) / time.minimum))
            }
        }
        self.reads = reads
    }

    /// Bytes per second that `threads` threads together read from a working set; nil if not measured.
    func readRate(_ workingSet: WorkingSet, threads: Int) -> Double? {
        reads.first { $0.workingSet == workingSet && $0.threads == threads }?.rate
    }
}

/// The level of the memory hierarchy that the operands of a timed kernel fit in.
package enum WorkingSet: String, CaseIterable, Encodable, Sendable {
    case l1 = "L1"
    case l2 = "L2"
    case l3 = "L3"
    case memory = "memory"

    /// Bytes of operands for each of `threads` threads: half of the cache, or far more than all caches.
    func bytes(threads: Int) -> Int {
        switch self {
        case .l1: Self.cacheBytes(level: 1) / 2
        case .l2: Self.cacheBytes(level: 2) / 2
        case .l3: max(Self.cacheBytes(level: 3) / 2 / threads, 2 * Self.cacheBytes(level: 2))
        case .memory: min(max(4 * Self.cacheBytes(level: 3), 128 << 20), 1 << 30) / threads
        }
    }

    /// The size of a data cache; a common size if the system does not report it.
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
        // There are few entries: instructions and data of the first level, then one for each further level.
        for entry in 0..<8 {
            let folder = "/sys/devices/system/cpu/cpu0/cache/index\(entry)"
            guard SystemFile.contents("\(folder)/level") == "\(level)",
                SystemFile.contents("\(folder)/type") != "Instruction",
                let size = SystemFile.contents("\(folder)/size"), size.hasSuffix("K"),
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
