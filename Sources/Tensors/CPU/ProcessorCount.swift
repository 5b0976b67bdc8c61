// How many threads are worth starting on this machine.

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The processors this process may use.
package enum ProcessorCount {
    /// More threads than this gain nothing on the models a CPU can run.
    private static let limit = 64

    /// Physical cores among the processors this process is allowed, or fewer where a container's quota is less.
    package static var usable: Int {
        var count = allowedCores()
        if let quota = quota() { count = min(count, quota) }
        return min(max(count, 1), limit)
    }

    #if canImport(Darwin)
        private static func allowedCores() -> Int {
            var cores: Int32 = 0
            var size = MemoryLayout<Int32>.size
            return sysctlbyname("hw.physicalcpu", &cores, &size, nil, 0) == 0
                ? Int(cores) : sysconf(_SC_NPROCESSORS_ONLN)
        }
    #else
        private static func allowedCores() -> Int {
            let key = "Cpus_allowed_list:"
            guard let line = lines(of: "/proc/self/status").first(where: { $0.hasPrefix(key) }) else {
                return sysconf(Int32(_SC_NPROCESSORS_ONLN))
            }
            // Hardware threads of one core have the same list of siblings.
            return Set(processors(line.dropFirst(key.count)).map { siblings(of: $0) ?? "\($0)" }).count
        }

        /// The numbers in a list such as `0-3,8`.
        private static func processors(_ list: Substring) -> [Int] {
            list.split(whereSeparator: { $0 == "," || $0.isWhitespace }).flatMap { range -> [Int] in
                let ends = range.split(separator: "-").compactMap { Int($0) }
                guard let first = ends.first, let last = ends.last, first <= last, last < 65_536 else { return [] }
                return Array(first...last)
            }
        }

        private static func siblings(of processor: Int) -> String? {
            lines(of: "/sys/devices/system/cpu/cpu\(processor)/topology/thread_siblings_list").first
        }
    #endif

    /// Processors' worth of time a control group (version 2) grants, rounded up; nil where it grants all.
    private static func quota() -> Int? {
        guard let line = lines(of: "/sys/fs/cgroup/cpu.max").first else { return nil }
        let fields = line.split(separator: " ").map { Int($0) }
        guard fields.count == 2, let time = fields[0], let period = fields[1], time > 0, period > 0 else { return nil }
        return max(1, (time - 1) / period + 1)
    }

    /// The lines of a small system file; none where it cannot be read.
    private static func lines(of path: String) -> [String] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        return withUnsafeTemporaryAllocation(byteCount: 8192, alignment: 1) { buffer in
            let count = read(descriptor, buffer.baseAddress, buffer.count)
            guard count > 0 else { return [] }
            return String(decoding: buffer[..<count], as: UTF8.self).split(separator: "\n").map(String.init)
        }
    }
}
