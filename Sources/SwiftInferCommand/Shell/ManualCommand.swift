// `swiftinfer man`: writes manual pages.

import ArgumentParser
import Foundation
import InferSupport

struct ManualCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "man",
        abstract: "Write manual pages of all commands.",
        discussion: """
            There is a page for each command: swiftinfer.1, swiftinfer-run.1 and so on. They are written into a folder, by default \
            where man finds pages of this user: ~/.local/share/man/man1. Then man swiftinfer-run shows one.
            """
    )

    @Argument(help: ArgumentHelp("The folder to write to.", valueName: "dir"), completion: .directory)
    var folder: String?

    func run() throws {
        let folder =
            folder ?? (Terminal.environment("XDG_DATA_HOME") ?? (Terminal.environment("HOME") ?? "") + "/.local/share")
            + "/man/man1"
        try Folder.create(folder)
        let pages = try ManualPage.all()
        for page in pages {
            let file = try OutputFile(replacing: "\(folder)/\(page.name).1")
            try file.append(Array(page.text.utf8))
            try file.commit()
        }
        Output.standardError("wrote \(pages.count) pages to \(folder)\n")
    }
}
