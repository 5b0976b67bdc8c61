// The memory estimate against what the system hands out.

import Foundation
import SwiftInfer
import TestSupport
import Testing

/// Where Linux says how much memory a process has.
private let source = "/proc/self/statm"

@Suite(.serialized, .enabled(if: FileManager.default.fileExists(atPath: source), "needs \(source)"))
struct MemoryTests {
    /// Address space of this process in bytes: what is allocated, touched or not.
    private func addressSpace() throws -> Int {
        let text = try String(contentsOfFile: source, encoding: .utf8)
        let pages = try #require(text.split(separator: " ").first.flatMap { Int($0) })
        return pages * sysconf(Int32(_SC_PAGESIZE))
    }

    /// A context of a size that makes whatever other tests allocate meanwhile a trifle; none of it is touched.
    @Test(arguments: [KVCacheType.f32, .f16]) func theEstimateIsWhatASessionAllocates(type: KVCacheType) throws {
        let model = try Fixture.model()
        let options = Session.Options(contextLength: 1 << 22, cacheType: type, drafter: .none)
        let estimate = try model.memoryEstimate(for: options)
        // Other tests add to a measurement, or take away what they had, so that most may be off; one that holds counts.
        var deviations: [Double] = []
        while deviations.count < 100, deviations.last ?? 1 > 0.02 {
            let before = try addressSpace()
            let session = try model.makeSession(options)
            let allocated = try addressSpace() - before
            deviations.append(withExtendedLifetime(session) { abs(Double(allocated) / Double(estimate) - 1) })
        }
        #expect(try #require(deviations.min()) < 0.02, "estimate \(estimate), deviations \(deviations)")
    }
}
