// The number of processors that control groups grant to a process.

import Foundation
import InferTensors
import TestSupport
import Testing

struct ProcessorCountTests {
    private static let version1 = "33 23 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n"
    private static let version2 = "24 23 0:28 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw\n"

    /// The quota if `/` is a folder with these files.
    private func quota(_ files: [String: String]) throws -> Int? {
        let root = try TemporaryFolder()
        for (path, text) in files { try root.write(path, text) }
        return withExtendedLifetime(root) { ProcessorCount.quota(root: root.path) }
    }

    @Test func version2CountsAllEnclosingGroups() throws {
        // The innermost, a middle, or the outermost group may have the smallest quota.
        for tightest in 0..<3 {
            let folders = ["", "/user.slice", "/user.slice/job.scope"]
            var files = ["proc/self/cgroup": "0::/user.slice/job.scope\n", "proc/self/mountinfo": Self.version2]
            for (index, folder) in folders.enumerated() {
                files["sys/fs/cgroup\(folder)/cpu.max"] = index == tightest ? "150000 100000\n" : "max 100000\n"
            }
            #expect(try quota(files) == 2, "group \(folders[tightest])")
        }
    }

    @Test func version1CountsAllEnclosingGroups() throws {
        for tightest in 0..<3 {
            let folders = ["", "/docker", "/docker/abc"]
            var files = [
                "proc/self/cgroup": "4:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc\n0::/\n",
                "proc/self/mountinfo": Self.version1,
            ]
            for (index, folder) in folders.enumerated() {
                files["sys/fs/cgroup/cpu\(folder)/cpu.cfs_quota_us"] = index == tightest ? "300000\n" : "-1\n"
                files["sys/fs/cgroup/cpu\(folder)/cpu.cfs_period_us"] = "100000\n"
            }
            #expect(try quota(files) == 3, "group \(folders[tightest])")
        }
    }

    /// In a container, the folder of its group is the mount point, and the path is as seen from outside.
    @Test func mountOfTheGroupItself() throws {
        let mount = "33 23 0:29 /docker/abc /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu\n"
        let files = [
            "proc/self/mountinfo": mount, "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "50000\n",
            "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
        ]
        for path in ["/docker/abc", "/elsewhere", "/../.."] {
            #expect(try quota(files.merging(["proc/self/cgroup": "3:cpu:\(path)\n"]) { $1 }) == 1, "\(path)")
        }
    }

    @Test func mountPointWithASpace() throws {
        let files = [
            "proc/self/mountinfo": "24 23 0:28 / /control\\040groups rw - cgroup2 cgroup2 rw\n",
            "proc/self/cgroup": "0::/a\n", "control groups/a/cpu.max": "400000 100000\n",
        ]
        #expect(try quota(files) == 4)
    }

    @Test func withoutLimitsThereIsNone() throws {
        #expect(try quota([:]) == nil)
        #expect(try quota(["proc/self/mountinfo": Self.version2, "proc/self/cgroup": "0::/\n"]) == nil)
        for text in ["max 100000\n", "", "0 0\n", "100000\n", "-1 100000\n", "x y\n"] {
            let files = [
                "proc/self/mountinfo": Self.version2, "proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": text,
            ]
            #expect(try quota(files) == nil, "\(text)")
        }
        #expect(try quota(["proc/self/mountinfo": "damaged - \n - - -\n", "proc/self/cgroup": "::\n0\n"]) == nil)
    }
}
