// The machine that measurements are made on: processor, memory and limits of this process.

import Foundation
import InferSupport

/// Processor and memory as this process sees them. Values that the system does not report are nil.
package struct MachineDescription: Encodable, Sendable {
    /// Name and version of the operating system.
    package let system: String
    package let processor: String?
    /// Instruction-set extensions that the kernels can use.
    package let features: [String]
    /// Processors that are online.
    package let processors: Int
    /// Processors that this process may run on.
    package let usableProcessors: Int
    /// Processor time that the container grants, in processors; nil without a limit.
    package let processorQuota: JSONNumber?
    /// Bytes of memory.
    package let memory: Int?
    /// Bytes of memory that are available.
    package let availableMemory: Int?
    /// Bytes of memory that the container grants; nil without a limit.
    package let memoryLimit: Int?

    enum CodingKeys: String, CodingKey {
        case system, processor, features, processors, memory
        case usableProcessors = "usable_processors", processorQuota = "processor_quota"
        case availableMemory = "available_memory", memoryLimit = "memory_limit"
    }

    /// Describes this machine.
    package static func current() -> MachineDescription {
        let cpu = Self.fields(of: "/proc/cpuinfo")
        let memory = Self.fields(of: "/proc/meminfo")
        return MachineDescription(
            system: ProcessInfo.processInfo.operatingSystemVersionString,
            processor: (cpu["model name"] ?? systemText("machdep.cpu.brand_string")),
            features: features(Set((cpu["flags"] ?? cpu["Features"] ?? "").split(separator: " ").map(String.init))),
            processors: ProcessInfo.processInfo.processorCount,
            usableProcessors: usableProcessorCount,
            processorQuota: quota,
            memory: memory["MemTotal"].flatMap(kibibytes) ?? Int(exactly: ProcessInfo.processInfo.physicalMemory),
            availableMemory: memory["MemAvailable"].flatMap(kibibytes) ?? reclaimableMemory,
            memoryLimit: SystemFile.contents("/sys/fs/cgroup/memory.max").flatMap { Int($0) }
        )
    }

    private static func features(_ flags: Set<String>) -> [String] {
        #if arch(x86_64)
        let notable = [
            "sse4_2", "avx", "f16c", "fma", "avx2", "avx_vnni", "avx512f", "avx512bw", "avx512vl", "avx512_vnni",
            "avx512_bf16", "amx_int8", "amx_bf16",
        ]
        return notable.filter(flags.contains)
        #elseif os(macOS)
        return ["FEAT_FP16", "FEAT_DotProd", "FEAT_I8MM", "FEAT_BF16"].filter {
            var value: Int32 = 0
            var size = MemoryLayout<Int32>.size
            return sysctlbyname("hw.optional.arm.\($0)", &value, &size, nil, 0) == 0 && value != 0
        }
        #else
        return ["asimd", "fphp", "asimdhp", "asimddp", "i8mm", "bf16", "sve", "sve2"].filter(flags.contains)
        #endif
    }

    /// The first value of each `name: value` line.
    private static func fields(of path: String) -> [String: String] {
        var fields: [String: String] = [:]
        for line in (SystemFile.contents(path) ?? "").split(separator: "\n") {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let name = line[..<colon].trimmingCharacters(in: .whitespaces)
            if fields[name] == nil {
                fields[name] = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
            }
        }
        return fields
    }

    /// The bytes of a text such as `1234 kB`.
    private static func kibibytes(_ text: String) -> Int? {
        guard let value = text.split(separator: " ").first.flatMap({ Int($0) }) else { return nil }
        let (bytes, overflow) = value.multipliedReportingOverflow(by: 1024)
        return overflow ? nil : bytes
    }

    /// The processor quota of the control group. The file contains `max 100000` or `150000 100000`: microseconds granted in
    /// each period, and the period.
    private static var quota: JSONNumber? {
        let parts = (SystemFile.contents("/sys/fs/cgroup/cpu.max") ?? "").split(separator: " ").map { Double($0) }
        guard parts.count == 2, let granted = parts[0], let period = parts[1], period > 0 else { return nil }
        return JSONNumber(granted / period)
    }

    /// The number of processors in the affinity mask, which is written in hexadecimal digits; all if there is no mask.
    private static var usableProcessorCount: Int {
        let mask = fields(of: "/proc/self/status")["Cpus_allowed"] ?? ""
        let count = mask.reduce(0) { $0 + ($1.hexDigitValue?.nonzeroBitCount ?? 0) }
        return count > 0 ? count : ProcessInfo.processInfo.activeProcessorCount
    }

    /// Bytes that are free or hold what the system can read again; nil where /proc/meminfo says it.
    private static var reclaimableMemory: Int? {
        #if os(macOS)
        var statistics = vm_statistics64()
        var count = mach_msg_type_number_t(MemoryLayout<vm_statistics64>.size / MemoryLayout<integer_t>.size)
        let status = withUnsafeMutablePointer(to: &statistics) { pointer in
            pointer.withMemoryRebound(to: integer_t.self, capacity: Int(count)) {
                host_statistics64(mach_host_self(), HOST_VM_INFO64, $0, &count)
            }
        }
        guard status == KERN_SUCCESS else { return nil }
        return (Int(statistics.free_count) + Int(statistics.inactive_count)) * sysconf(_SC_PAGESIZE)
        #else
        return nil
        #endif
    }

    private static func systemText(_ name: String) -> String? {
        #if os(macOS)
        var size = 0
        guard sysctlbyname(name, nil, &size, nil, 0) == 0, size > 0 else { return nil }
        var bytes = [UInt8](repeating: 0, count: size)
        guard sysctlbyname(name, &bytes, &size, nil, 0) == 0 else { return nil }
        return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        #else
        return nil
        #endif
    }
}

/// Files of /proc and /sys, whose size is known only after reading them.
enum SystemFile {
    /// The text of the file at `path` without surrounding blanks; nil if it cannot be read.
    static func contents(_ path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while bytes.count < 1 << 24 {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { return nil }
            if count == 0 { break }
            bytes.append(contentsOf: buffer[..<count])
        }
        return String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
