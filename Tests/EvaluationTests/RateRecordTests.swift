// Recorded rates: writing, reading and comparing them, without timing anything.

import Foundation
import InferEvaluation
import InferSupport
import TestSupport
import Testing

struct RateRecordTests {
    private static let machine = RateRecord.Machine(processor: "Fast 1", system: "Linux 6", processors: 2)

    private func record(
        _ rates: [(String, Double)], machine: RateRecord.Machine = machine, instructionSet: String = "avx2",
        settings: [String: String] = ["number of threads": "1"], warnings: [String] = []
    ) -> RateRecord {
        RateRecord(
            .kernels, version: "1.2.3", date: Date(timeIntervalSince1970: 1_700_000_000), machine: machine,
            instructionSet: instructionSet, settings: settings, warnings: warnings,
            rates: rates.map { RateRecord.Rate($0.0, $0.1, "GB/s") })
    }

    @Test func recordsCanBeReadAgain() throws {
        let record = record([("a", 1.5), ("b", 200)], warnings: ["busy"])
        let contents = try record.contents()
        #expect(try RateRecord(contents, path: "r.json", benchmark: .kernels) == record)
        let object = try #require(JSONSerialization.jsonObject(with: Data(contents)) as? [String: Any])
        #expect(object["date"] as? String == "2023-11-14T22:13:20Z")
        #expect(object["version"] as? String == "1.2.3")
        #expect(object["instruction_set"] as? String == "avx2")
        #expect((object["machine"] as? [String: Any])?["processor"] as? String == "Fast 1")
    }

    @Test func onlyPositiveNumbersAreRecorded() {
        let record = record([("a", 1), ("b", 0), ("c", .infinity), ("d", .nan), ("e", -1), ("a", 2)])
        #expect(record.rates.map(\.name) == ["a"])
        #expect(record.rates[0].value == 1)
    }

    @Test func otherFilesAreRefused() throws {
        func error(_ text: String) -> String? {
            inferenceError { _ = try RateRecord(Array(text.utf8), path: "r.json", benchmark: .kernels) }?.message
        }
        for text in ["", "not JSON", "[]", "{}", #"{"format":1}"#] {
            #expect(error(text) == "r.json is not a file of recorded rates")
        }
        let text = String(decoding: try record([("a", 1), ("b", 2)]).contents(), as: UTF8.self)
        #expect(error(text) == nil)
        for (old, new) in [
            (#""value" : 1"#, #""value" : 0"#), (#""name" : "a""#, #""name" : "b""#),
            (#""value" : 1"#, #""value" : "x""#),
        ] {
            #expect(text.contains(old))
            #expect(error(text.replacingOccurrences(of: old, with: new)) == "r.json is not a file of recorded rates")
        }
        let newer = text.replacingOccurrences(of: #""format" : 1"#, with: #""format" : 2"#)
        #expect(error(newer)?.contains("version 2 of the format") == true)
        let model = text.replacingOccurrences(of: #""kernels""#, with: #""model""#)
        #expect(error(model) == "r.json has rates of bench model, not of bench kernels")
    }

    @Test func ratesAreComparedByName() {
        let earlier = record([("a", 2), ("gone", 1), ("b", 400)])
        let comparison = RateComparison(record([("new", 1), ("b", 100), ("a", 3)]), against: earlier)
        #expect(comparison.rows.map(\.name) == ["b", "a"])
        #expect(comparison.rows.map(\.ratio) == [0.25, 1.5])
        #expect(comparison.notRecorded == ["new"])
        #expect(comparison.differences.isEmpty)
        let lines = comparison.text.split(separator: "\n")
        #expect(lines[0] == "recorded by swiftinfer 1.2.3, 2023-11-14T22:13:20Z")
        #expect(lines[2].split(separator: " ") == ["b", "100", "400", "0.25", "GB/s"])
        #expect(lines[3].split(separator: " ") == ["a", "3.00", "2.00", "1.50", "GB/s"])
        #expect(lines[4] == "not recorded: new")
    }

    @Test func differencesOfTheMachinesAreNamed() {
        let other = RateRecord.Machine(processor: "Slow 2", system: "Linux 6", processors: 1)
        let earlier = record(
            [("a", 1)], machine: other, instructionSet: "avx512",
            settings: ["number of threads": "4", "depth": "8"], warnings: ["the machine is busy"])
        #expect(
            RateComparison(record([("a", 1)]), against: earlier).differences == [
                "the machines differ: Fast 1, 2 processors here, Slow 2, 1 processor in the record",
                "the instruction sets differ: avx2 here, avx512 in the record",
                "depth differs: none here, 8 in the record",
                "number of threads differs: 1 here, 4 in the record",
                "the rates were recorded with a warning: the machine is busy",
            ])
    }

    @Test func processorTimesAreParsed() throws {
        let before = try #require(ProcessorTimes("cpu  10 0 10 80 20 0 0 0 0 0\ncpu0 1 2 3 4\ncpu1 1 2 3 4\nintr 9\n"))
        #expect(before.processors == 2)
        #expect(before.busy == 20)
        #expect(before.idle == 100)
        // Both processors together advance by 200 ticks in one second, of which 150 are busy: 1.5 processors.
        let after = try #require(ProcessorTimes("cpu  110 10 40 120 30 0 0 10 0 0\ncpu0 1\ncpu1 1\n"))
        let others = try #require(after.busyProcessors(since: before, own: 1, wall: 1))
        #expect(abs(others - 0.5) < 1e-9)
        #expect(after.busyProcessors(since: before, own: 9, wall: 1) == 0)
        #expect(before.busyProcessors(since: before, own: 0, wall: 1) == nil)
        for text in ["", "cpu0 1 2 3 4", "cpu 1 2", "cpu  1 2 3 4"] { #expect(ProcessorTimes(text) == nil) }
    }

    @Test func busyMachinesAreNoticed() {
        #expect(MachineLoad.warnings(share: 0.99, others: 0.1).isEmpty)
        #expect(MachineLoad.warnings(share: 1, others: nil).isEmpty)
        #expect(MachineLoad.warnings(share: 0.52, others: nil).first?.contains("only 52 %") == true)
        #expect(MachineLoad.warnings(share: 1, others: 0.8).first?.contains("0.8 processors") == true)
        #expect(MachineLoad.warnings(share: 0.5, others: 2).count == 2)
    }
}
