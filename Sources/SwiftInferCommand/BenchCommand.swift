// `swiftinfer bench`: the group of its benchmarks.

import ArgumentParser

struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Measure speed.",
        subcommands: [BenchModelCommand.self, BenchDraftingCommand.self, BenchKernelsCommand.self])
}
