// `swiftinfer datastore`: the group of commands about datastores.

import ArgumentParser

struct DatastoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "datastore",
        abstract: "Build and examine datastores: code that drafts are taken from.",
        subcommands: [
            DatastoreBuildCommand.self, DatastoreInfoCommand.self, DatastoreVerifyCommand.self,
            DatastoreQueryCommand.self, DatastoreMergeCommand.self, DatastoreExpressionsCommand.self,
        ])
}
