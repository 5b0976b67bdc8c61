// `swiftinfer bench`: the group of benchmarks, and the options that record and compare rates.

import ArgumentParser
import Foundation
import InferEvaluation
import InferSupport

struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Measure speed.",
        subcommands: [BenchModelCommand.self, BenchDraftingCommand.self, BenchKernelsCommand.self])
}

/// Where measured rates are recorded, and what they are compared with.
struct RecordOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Write the measured rates to a file.", valueName: "file.json"), completion: .file())
    var record: String?

    @Option(
        help: ArgumentHelp(
            "Print each rate beside the one that --record wrote to this file, and their ratio.", valueName: "file.json")
    )
    var against: String?

    /// The files, opened before anything is measured.
    struct Files {
        let output: OutputFile?
        let earlier: RateRecord?

        /// Records `rates` and compares them with the earlier ones.
        ///
        /// - Returns: The comparison, if there is something to compare with.
        func finish(_ rates: RateRecord) throws(InferenceError) -> RateComparison? {
            if let output {
                try output.append(rates.contents())
                try output.commit()
            }
            let comparison = earlier.map { RateComparison(rates, against: $0) }
            Output.warn(comparison?.differences ?? [])
            return comparison
        }
    }

    /// Reads the earlier rates and creates the file to write.
    ///
    /// - Throws: ``InferenceError`` if the earlier rates cannot be read, or if the file cannot be written or is not a file
    ///   of rates.
    func open(_ benchmark: RateRecord.Benchmark) throws(InferenceError) -> Files {
        let earlier = try against.map { path throws(InferenceError) in
            try RateRecord(InputText.file(path), path: path, benchmark: benchmark)
        }
        let output = try record.map { path throws(InferenceError) in
            if OutputFile.exists(path), (try? RateRecord(InputText.file(path), path: path, benchmark: benchmark)) == nil
            {
                throw InferenceError(
                    .unwritableFile, "\(path) exists and is not a file of rates of bench \(benchmark.rawValue)")
            }
            return try OutputFile(replacing: path)
        }
        return Files(output: output, earlier: earlier)
    }
}

/// A report with the comparison of its rates, as one JSON object.
struct ComparedReport<Report: Encodable>: Encodable {
    let report: Report
    /// Encoded as the member `against`.
    let comparison: RateComparison?

    private enum CodingKeys: String, CodingKey { case against }

    func encode(to encoder: any Encoder) throws {
        try report.encode(to: encoder)
        guard let comparison else { return }
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(comparison, forKey: .against)
    }
}
