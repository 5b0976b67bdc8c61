// `swiftinfer completions`: prints scripts with which shells complete the commands of this program.

import ArgumentParser
import InferSupport

struct CompletionsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "completions",
        abstract: "Print a script that completes commands in a shell.",
        discussion: """
            The script knows the commands and options. It asks this program for models: names of the catalogue, models that were \
            fetched, .gguf files. Install it by one of:

            bash    swiftinfer completions bash \\
                      > ~/.local/share/bash-completion/completions/swiftinfer
                    or, without the package bash-completion, in ~/.bashrc:
                    source <(swiftinfer completions bash)
            zsh     swiftinfer completions zsh > ~/.zsh/completions/_swiftinfer
                    where ~/.zshrc has, before compinit:
                    fpath=(~/.zsh/completions $fpath)
            fish    swiftinfer completions fish \\
                      > ~/.config/fish/completions/swiftinfer.fish

            New shells have it. A newer version of this program may need a newer script.
            """
    )

    /// The shells with scripts.
    enum Shell: String, ExpressibleByArgument, CaseIterable {
        case bash, zsh, fish
    }

    @Argument(help: "The shell.")
    var shell: Shell

    func run() throws {
        let shell: CompletionShell =
            switch self.shell {
            case .bash: .bash
            case .zsh: .zsh
            case .fish: .fish
            }
        Output.standardOutput(RootCommand.completionScript(for: shell) + "\n")
    }
}
