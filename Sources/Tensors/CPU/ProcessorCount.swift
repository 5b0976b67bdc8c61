// The number of threads that are useful on this machine.

import InferSupport

/// The processors that this process may use.
package enum ProcessorCount {
    /// More threads than this do not help with models that fit a CPU.
    private static let limit = 64

    /// The number of physical cores that this process may use, or the quota of its container if that is smaller.
    package static var usable: Int {
        var count = allowedCores()
        if let quota = quota() { count = min(count, quota) }
        return min(max(count, 1), limit)
    }

    #if canImport(Darwin)
    /// On Apple silicon the performance cores alone: efficiency cores take chunks several times longer, and all wait for the
    /// last chunk.
    private static func allowedCores() -> Int {
        for name in ["hw.perflevel0.physicalcpu", "hw.physicalcpu"] {
            var cores: Int32 = 0
            var size = MemoryLayout<Int32>.size
            if sysctlbyname(name, &cores, &size, nil, 0) == 0, cores > 0 { return Int(cores) }
        }
        return sysconf(_SC_NPROCESSORS_ONLN)
    }
    #else
    private static func allowedCores() -> Int {
        let key = "Cpus_allowed_list:"
        guard let line = lines(of: "/proc/self/status").first(where: { $0.hasPrefix(key) }) else {
            return sysconf(Int32(_SC_NPROCESSORS_ONLN))
        }
        // All hardware threads of a core have the same list of siblings.
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

    // MARK: Control groups

    /// The processor time that control groups grant, in processors, rounded up; nil if there is no limit.
    ///
    /// A group is limited by its own quota and by the quotas of all groups that contain it. `/proc/self/cgroup` lists
    /// the groups of the process, one for each hierarchy of version 1 and one for version 2. `/proc/self/mountinfo`
    /// lists the mount points of the hierarchies. See cgroups(7) and proc(5).
    ///
    /// - Parameter root: The folder that replaces `/`; for tests.
    package static func quota(root: String = "") -> Int? {
        let mounts = lines(of: root + "/proc/self/mountinfo").compactMap(ControlGroupMount.init)
        var least: Int?
        for line in lines(of: root + "/proc/self/cgroup") {
            // hierarchy-ID:controllers:path; version 2 names no controllers.
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            let isVersion2 = fields[1].isEmpty
            guard isVersion2 || fields[1].split(separator: ",").contains("cpu") else { continue }
            for mount in mounts where mount.isVersion2 == isVersion2 {
                for folder in mount.folders(of: String(fields[2])) {
                    guard let quota = quota(ofGroup: root + folder, isVersion2: isVersion2) else { continue }
                    least = min(least ?? quota, quota)
                }
            }
        }
        return least
    }

    /// The quota of the group in one folder.
    private static func quota(ofGroup folder: String, isVersion2: Bool) -> Int? {
        let time: Int?
        let period: Int?
        if isVersion2 {
            let fields = lines(of: folder + "/cpu.max").first?.split(separator: " ").map { Int($0) } ?? []
            guard fields.count == 2 else { return nil }
            (time, period) = (fields[0], fields[1])
        } else {
            time = lines(of: folder + "/cpu.cfs_quota_us").first.flatMap { Int($0) }
            period = lines(of: folder + "/cpu.cfs_period_us").first.flatMap { Int($0) }
        }
        guard let time, let period, time > 0, period > 0 else { return nil }
        return max(1, (time - 1) / period + 1)
    }

    /// The lines of a small system file; none if it cannot be read.
    private static func lines(of path: String) -> [String] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        var text: [UInt8] = []
        return withUnsafeTemporaryAllocation(byteCount: 8192, alignment: 1) { buffer in
            // The mount table of a machine with many containers has some hundred KiB.
            while text.count < 1 << 22 {
                let count = read(descriptor, buffer.baseAddress, buffer.count)
                if count < 0 && errno == EINTR { continue }
                guard count >= 0 else { return [] }
                if count == 0 { break }
                text.append(contentsOf: buffer[..<count])
            }
            return String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init)
        }
    }
}

/// The mount point of a hierarchy of control groups that has the `cpu` controller.
private struct ControlGroupMount {
    /// The group that is mounted at ``point``.
    let group: String
    let point: String
    let isVersion2: Bool

    /// Reads a line of `mountinfo`: `ID parent device root point options … - type source super-options`.
    init?(_ line: String) {
        let fields = line.split(separator: " ")
        guard let dash = fields.firstIndex(of: "-"), dash >= 5, dash + 3 < fields.count else { return nil }
        switch fields[dash + 1] {
        case "cgroup2": isVersion2 = true
        case "cgroup" where fields[dash + 3].split(separator: ",").contains("cpu"): isVersion2 = false
        default: return nil
        }
        group = Self.unescaped(fields[3])
        point = Self.unescaped(fields[4])
    }

    /// The folders of the group at `path` and of the groups that contain it, the innermost first.
    func folders(of path: String) -> [String] {
        // A container may see only the mount of its own group, while the kernel gives the path as seen from outside.
        var rest =
            group == "/"
            ? path : path.hasPrefix(group + "/") || path == group ? String(path.dropFirst(group.count)) : ""
        if rest.split(separator: "/").contains("..") { rest = "" }
        var names = rest.split(separator: "/")
        var folders: [String] = []
        while !names.isEmpty {
            folders.append(point + "/" + names.joined(separator: "/"))
            names.removeLast()
        }
        return folders + [point]
    }

    /// Decodes spaces and similar characters, which are written as a backslash and three octal digits.
    private static func unescaped(_ field: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = Substring(field).utf8[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\\"), rest.count >= 3,
                let code = UInt8(String(decoding: rest.prefix(3), as: UTF8.self), radix: 8)
            {
                bytes.append(code)
                rest = rest.dropFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
