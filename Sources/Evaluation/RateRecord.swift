// Measured rates in a file, and the comparison of a measurement with an earlier one.

package import Foundation
package import InferSupport

/// The rates of one run of a benchmark, with the circumstances that they depend on.
package struct RateRecord: Codable, Sendable, Equatable {
    /// The benchmark that measured the rates.
    package enum Benchmark: String, Codable, Sendable {
        case kernels, model
    }

    /// One measured rate. Names are unique within a record.
    package struct Rate: Codable, Sendable, Equatable {
        package let name: String
        package let value: Double
        package let unit: String

        /// A rate.
        package init(_ name: String, _ value: Double, _ unit: String) {
            self.name = name
            self.value = value
            self.unit = unit
        }
    }

    /// The machine that the rates were measured on.
    package struct Machine: Codable, Sendable, Equatable {
        package let processor: String
        package let system: String
        /// Processors that the process could run on.
        package let processors: Int

        /// Describes a machine.
        package init(processor: String, system: String, processors: Int) {
            self.processor = processor
            self.system = system
            self.processors = processors
        }

        /// Describes this machine.
        package static func current() -> Machine {
            let machine = MachineDescription.current()
            return Machine(
                processor: machine.processor ?? "unknown", system: machine.system,
                processors: machine.usableProcessors)
        }

        var summary: String { "\(processor), \(processors) \(processors == 1 ? "processor" : "processors")" }
    }

    /// The version of the file format that this program writes and reads.
    private static let currentFormat = 1

    /// The version of the file format.
    private let format: Int
    package let benchmark: Benchmark
    /// The version of the program.
    package let version: String
    /// The time of the measurement, in ISO 8601.
    package let date: String
    package let machine: Machine
    /// The instruction set of the kernels.
    package let instructionSet: String
    /// Other circumstances that the rates depend on, such as the number of threads or the model.
    package let settings: [String: String]
    /// Signs that the machine was busy.
    package let warnings: [String]
    package let rates: [Rate]

    enum CodingKeys: String, CodingKey {
        case format, benchmark, version, date, machine, settings, warnings, rates
        case instructionSet = "instruction_set"
    }

    /// Makes a record. Of several rates with the same name, the first is kept; so are only rates that are positive numbers.
    package init(
        _ benchmark: Benchmark, version: String, date: Date, machine: Machine, instructionSet: String,
        settings: [String: String], warnings: [String] = [], rates: [Rate]
    ) {
        format = Self.currentFormat
        self.benchmark = benchmark
        self.version = version
        self.date = date.formatted(.iso8601)
        self.machine = machine
        self.instructionSet = instructionSet
        self.settings = settings
        self.warnings = warnings
        var names: Set<String> = []
        self.rates = rates.filter { $0.value.isFinite && $0.value > 0 && names.insert($0.name).inserted }
    }

    /// Parses a record of `benchmark`.
    ///
    /// - Parameter path: Where the contents come from, for error messages.
    /// - Throws: ``InferenceError`` with `unreadableFile` if the contents are not such a record.
    package init(_ contents: [UInt8], path: String, benchmark: Benchmark) throws(InferenceError) {
        let data = Data(contents)
        struct Header: Decodable { let format: Int }
        if let header = try? JSONDecoder().decode(Header.self, from: data), header.format != Self.currentFormat {
            throw InferenceError(
                .unreadableFile,
                "\(path) has version \(header.format) of the format of recorded rates; this program reads version "
                    + "\(Self.currentFormat)")
        }
        guard let record = try? JSONDecoder().decode(RateRecord.self, from: data),
            Set(record.rates.map(\.name)).count == record.rates.count,
            record.rates.allSatisfy({ $0.value.isFinite && $0.value > 0 })
        else { throw InferenceError(.unreadableFile, "\(path) is not a file of recorded rates") }
        guard record.benchmark == benchmark else {
            throw InferenceError(
                .unreadableFile,
                "\(path) has rates of bench \(record.benchmark.rawValue), not of bench \(benchmark.rawValue)")
        }
        self = record
    }

    /// The contents of a file with this record: JSON with sorted keys.
    package func contents() throws(InferenceError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
        do {
            return try [UInt8](encoder.encode(self)) + [UInt8(ascii: "\n")]
        } catch {
            throw InferenceError(.unwritableFile, "the rates cannot be written as JSON", cause: error)
        }
    }
}

/// The rates of a measurement beside those of an earlier one.
package struct RateComparison: Encodable, Sendable {
    /// A rate that both measurements have.
    package struct Row: Encodable, Sendable {
        package let name: String
        package let unit: String
        package let value: Double
        package let recorded: Double
        /// The rate divided by the recorded rate.
        package let ratio: Double
    }

    package let rows: [Row]
    /// The measured rates that were not recorded.
    package let notRecorded: [String]
    /// The circumstances in which the two measurements differ, as texts for people. The first names the machines if these
    /// differ.
    package let differences: [String]
    private let recordedBy: String

    enum CodingKeys: String, CodingKey {
        case rows, differences
        case notRecorded = "not_recorded", recordedBy = "recorded_by"
    }

    /// Compares `current` with `earlier`.
    package init(_ current: RateRecord, against earlier: RateRecord) {
        let recorded = Dictionary(earlier.rates.map { ($0.name, $0) }) { first, _ in first }
        rows = current.rates.compactMap { rate in
            guard let old = recorded[rate.name], old.unit == rate.unit else { return nil }
            return Row(
                name: rate.name, unit: rate.unit, value: rate.value, recorded: old.value, ratio: rate.value / old.value)
        }
        let compared = Set(rows.map(\.name))
        notRecorded = current.rates.map(\.name).filter { !compared.contains($0) }
        recordedBy = "swiftinfer \(earlier.version), \(earlier.date)"
        var differences: [String] = []
        func compare(_ what: String, _ now: String?, _ then: String?) {
            guard now != then else { return }
            differences.append("\(what): \(now ?? "none") here, \(then ?? "none") in the record")
        }
        compare("the machines differ", current.machine.summary, earlier.machine.summary)
        compare("the systems differ", current.machine.system, earlier.machine.system)
        compare("the instruction sets differ", current.instructionSet, earlier.instructionSet)
        for key in Set(current.settings.keys).union(earlier.settings.keys).sorted() {
            compare("\(key) differs", current.settings[key], earlier.settings[key])
        }
        differences += earlier.warnings.map { "the rates were recorded with a warning: \($0)" }
        self.differences = differences
    }

    /// A table: each rate, the recorded rate and their ratio.
    package var text: String {
        let header = ["", "now", "recorded", "ratio", "unit"]
        let lines = rows.map { row in
            [
                row.name, Self.number(row.value), Self.number(row.recorded), Format.decimal(row.ratio, 2), row.unit,
            ]
        }
        let missing = notRecorded.isEmpty ? "" : "not recorded: \(notRecorded.joined(separator: "; "))\n"
        return "recorded by \(recordedBy)\n" + (rows.isEmpty ? "" : Format.columns([header] + lines)) + missing
    }

    /// A rate with about three digits.
    private static func number(_ value: Double) -> String {
        Format.decimal(value, value >= 100 ? 0 : value >= 10 ? 1 : value >= 1 ? 2 : 4)
    }
}
