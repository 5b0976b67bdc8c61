// Errors of the program: wrong usage, missing and damaged files, output that cannot be written.

import Foundation
import TestSupport
import Testing

struct RefusalTests {
    @Test(arguments: [
        ["run"], ["run", "m", "p", "--no-such-option"], ["run", "m", "p", "--threads", "0"],
        ["run", "m", "p", "--system", "s"], ["run", "m", "p", "-n", "-2"], ["run", "m", "p", "-f", "file"],
        ["run", "m", "p", "--temperature", "-1"], ["run", "m", "p", "--top-p", "0"],
        ["run", "m", "p", "--kv-type", "f8"],
        ["run", "m", "p", "--drafter", "nobody"], ["run", "m", "p", "--repository", "d", "--no-repository"],
        ["run", "m", "p", "--drafter", "suffix", "--datastore", "d"], ["run", "m", "p", "--backend", "tpu"],
        ["run", "m", "p", "--kernels", "abacus"],
        ["run", "m", "p", "--stop", ""],
        ["run", "m", "p", "--context", "0"], ["logprobs", "m"], ["logprobs", "m", "--tokens", "1,x"],
        ["logprobs", "m", "--tokens", ""], ["bench", "model", "m", "--prompt", "-1"],
        ["bench", "model", "m", "--widths", "1,x"],
        ["bench", "model", "m", "--prompt", "", "--generate", "", "--widths", ""],
        ["bench", "model", "m", "--repetitions", "0"], ["make-model", "unknown", "-o", "x"],
        ["make-model", "dsc-1.3b"], ["quantize", "a", "b"], ["quantize", "a", "b", "q9"],
        ["quantize", "a", "b", "q4_0", "--threads", "0"],
        ["make-model", "dsc-1.3b", "-o", "x", "--type", "q9"],
        ["logprobs", "m", "--tokens", "1", "--top", "0"],
        ["perplexity", "m"], ["perplexity", "m", "f", "--context", "2"],
        ["perplexity", "m", "f", "--context", "9223372036854775807"],
        ["logprobs", "m", "--tokens", "1", "--context", "9223372036854775807"], ["tokenize"], ["detokenize", "m"],
        ["show"],
        ["no-such-command"],
    ])
    func wrongUsageIs64(_ arguments: [String]) throws {
        let run = try Command(arguments)
        #expect(run.status == 64)
        #expect(run.output.isEmpty)
        #expect(run.errors.contains("Error: "))
    }

    @Test(arguments: [
        ["run", "m", "p", "--seed", "-2"], ["run", "m", "p", "--temperature", "-2"],
        ["run", "m", "p", "--top-k", "-2"],
        ["run", "m", "p", "--top-p", "-2"], ["run", "m", "p", "--min-p", "-2"],
        ["run", "m", "p", "--repeat-penalty", "-2"],
        ["run", "m", "p", "-n", "-2"], ["run", "m", "p", "--context", "-2"], ["run", "m", "p", "--threads", "-2"],
        ["run", "m", "p", "--backend", "vulkan", "--gpu-layers", "-2"], ["perplexity", "m", "f", "--context", "-2"],
        ["perplexity", "m", "f", "--chunks", "-2"], ["logprobs", "m", "--tokens", "1", "--top", "-2"],
        ["logprobs", "m", "--tokens", "1", "--context", "-2"], ["bench", "model", "m", "--depth", "-2"],
        ["bench", "model", "m", "--repetitions", "-2"], ["bench", "model", "m", "--widths", "-2"],
        ["bench", "kernels", "--threads", "-2"], ["bench", "drafting", "m", "--suite", "s", "--limit", "-2"],
        ["bench", "drafting", "m", "--suite", "s", "--max-prompt", "-2"],
        ["bench", "drafting", "m", "--suite", "s", "--fixed-width", "-2"], ["verify-exactness", "m", "-n", "-2"],
        ["verify-exactness", "m", "--limit", "-2"], ["verify-exactness", "m", "--samplings", "-2"],
        ["verify-exactness", "m", "--per-answer", "-2"], ["make-model", "dsc-1.3b", "-o", "x", "--layers", "-2"],
        ["quantize", "a", "b", "q4_0", "--threads", "-2"],
    ])
    func negativeValuesAreNamed(_ arguments: [String]) throws {
        let run = try Command(arguments)
        #expect(run.status == 64)
        #expect(run.errors.split(separator: "\n").first?.contains("-2") == true, "\(run.errors)")
    }

    @Test func mixturesPointToTypes() throws {
        for arguments in [
            ["quantize", "a", "b", "Q4_K_M"], ["make-model", "dsc-1.3b", "-o", "x", "--type", "q4_k_s"],
        ] {
            let run = try Command(arguments)
            #expect(run.status == 64)
            #expect(run.errors.contains("q4_k is"))
        }
    }

    @Test(arguments: ["--help", "--version", "run --help", "show MODEL", "show MODEL --json", "tokenize MODEL x"])
    func outputThatCannotBeWrittenIsAFailure(command: String) throws {
        let folder = try TemporaryFolder()
        let errors = try folder.file("errors", Data())
        let command = command.replacingOccurrences(of: "MODEL", with: Fixture.llama)
        for target in ["/dev/full", "&-"] where target == "&-" || FileManager.default.fileExists(atPath: target) {
            let shell = Process()
            shell.executableURL = URL(fileURLWithPath: "/bin/sh")
            shell.arguments = [
                "-c", "'\(Command.executable.path)' \(command) >\(target) 2>'\(errors.path)' </dev/null",
            ]
            try shell.run()
            shell.waitUntilExit()
            #expect(shell.terminationStatus == 1)
            let text = try String(contentsOf: errors, encoding: .utf8)
            #expect(text.hasPrefix("swiftinfer: error: cannot write") && text.split(separator: "\n").count == 1)
        }
    }

    @Test(arguments: [
        ["run", Fixture.llama, "-f"], ["tokenize", Fixture.llama, "-f"], ["perplexity", Fixture.llama],
    ])
    func inputWithoutEndIsRefused(_ arguments: [String]) throws {
        let run = try Command(arguments + ["/dev/zero"])
        #expect(run.isCleanFailure)
        #expect(run.errors.contains("64 MiB"))
    }

    @Test func interruptsDuringTheStartAreNotLost() throws {
        for delay in stride(from: UInt32(0), to: 60_000, by: 6000) {
            let run = try Command(["run", Fixture.llama, "x", "-n", "-1", "--ignore-eos", "--context", "200000"]) {
                usleep(delay)
                $0.process.interrupt()
            }
            #expect(run.status == 130)
        }
    }

    @Test func helpAndVersion() throws {
        for arguments in [["--help"], ["run", "--help"], ["perplexity", "--help"]] {
            let run = try Command(arguments)
            #expect(run.status == 0)
            #expect(run.output.contains("USAGE: swiftinfer"))
        }
        #expect(try Command("--version").output.hasPrefix("swiftinfer "))
    }

    @Test(arguments: ["run", "logprobs", "perplexity", "tokenize", "detokenize", "show"])
    func missingFileIsNamed(_ command: String) throws {
        let extra = ["run": ["x"], "tokenize": ["x"], "perplexity": ["-"]][command] ?? []
        let tokens = ["logprobs", "detokenize"].contains(command) ? ["--tokens", "1"] : []
        let run = try Command([command, "no/such/model.gguf"] + extra + tokens)
        #expect(run.isCleanFailure)
        #expect(run.errors.contains("no/such/model.gguf"))
    }

    @Test func catalogueNames() throws {
        let folder = try TemporaryFolder()
        let environment = ["SWIFTINFER_MODELS": folder.url.path]

        let unknown = try Command("show", "no-such-model", environment: environment)
        #expect(unknown.isCleanFailure)
        #expect(unknown.errors.contains("no-such-model") && unknown.errors.contains("swiftinfer list"))

        let missing = try Command("show", "smollm2-135m-instruct", environment: environment)
        #expect(missing.isCleanFailure)
        #expect(missing.errors.contains("swiftinfer pull smollm2-135m-instruct"))

        // Any model with the catalogue's file name is found.
        let path = folder.url.appendingPathComponent("SmolLM2-135M-Instruct.Q4_1.gguf").path
        try FileManager.default.copyItem(atPath: Fixture.llama, toPath: path)
        let found = try Command("show", "smollm2-135m-instruct", "--json", environment: environment)
        #expect(try found.json()["name"] as? String == "tiny-llama")

        // A folder of the same name does not hide the model.
        let work = try TemporaryFolder()
        try FileManager.default.createDirectory(
            at: work.url.appendingPathComponent("smollm2-135m-instruct"), withIntermediateDirectories: true)
        let shell = Process()
        shell.executableURL = Command.executable
        shell.arguments = ["show", "smollm2-135m-instruct"]
        shell.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        shell.currentDirectoryURL = work.url
        shell.standardOutput = FileHandle.nullDevice
        try shell.run()
        shell.waitUntilExit()
        #expect(shell.terminationStatus == 0)
    }

    @Test func foldersAreNotModels() throws {
        let folder = try TemporaryFolder()
        #expect(try Command("show", folder.url.path).isCleanFailure)
    }

    @Test func missingPromptFileIsNamed() throws {
        let run = try Command("run", Fixture.llama, "-f", "no/such/prompt.txt")
        #expect(run.isCleanFailure)
        #expect(run.errors.contains("no/such/prompt.txt"))
    }

    @Test func withoutVulkanTheProcessorComputes() throws {
        let run = try Command(
            "run", Fixture.llama, "x", "-n", "2", "--backend", "vulkan",
            environment: ["VK_DRIVER_FILES": "/none", "VK_ICD_FILENAMES": "/none"])
        #expect(run.status == 0)
        #expect(run.errors.contains("Vulkan") && run.errors.contains("running on the processor"))
        let plain = try Command("run", Fixture.llama, "x", "-n", "2", "--backend", "cpu")
        #expect(run.output == plain.output)
    }

    @Test(arguments: [
        ["--backend", "vulkan", "--gpu-layers=-1"], ["--backend", "cpu", "--gpu-layers", "1"], ["--gpu-layers", "1"],
    ])
    func layersOnNoDeviceAreRefused(options: [String]) throws {
        let run = try Command(["run", Fixture.llama, "x"] + options)
        #expect(run.status == 64)
        #expect(run.errors.contains("--gpu-layers"))
    }

    @Test func withoutVulkanLayersStayOnTheProcessor() throws {
        let run = try Command(
            "run", Fixture.llama, "x", "-n", "2", "--backend", "vulkan", "--gpu-layers", "1",
            environment: ["VK_DRIVER_FILES": "/none", "VK_ICD_FILENAMES": "/none"])
        #expect(run.status == 0)
        #expect(run.errors.contains("running on the processor"))
    }

    @Test func damagedFilesAreRefused() throws {
        let folder = try TemporaryFolder()
        let whole = try Data(contentsOf: URL(fileURLWithPath: Fixture.llama))
        var manyTensors = whole
        manyTensors[15] = 0x80
        let damaged = [
            Data(), Data("GGUF".utf8), whole.prefix(whole.count / 2), manyTensors, Data("not a model at all".utf8),
        ]
        for (index, data) in damaged.enumerated() {
            let path = try folder.file("\(index).gguf", Data(data)).path
            for arguments in [["show", path], ["logprobs", path, "--tokens", "1,2", "--json"], ["run", path, "x"]] {
                let run = try Command(arguments)
                #expect(run.isCleanFailure, "\(arguments): \(run.errors)")
            }
        }
    }

    /// Weights that are NaN give probabilities that are NaN. The output must still be JSON.
    @Test func outputForNaNWeightsIsJSON() throws {
        let folder = try TemporaryFolder()
        var data = try Data(contentsOf: URL(fileURLWithPath: Fixture.llama))
        data.replaceSubrange(data.count / 2..<data.count, with: repeatElement(0xFF, count: data.count - data.count / 2))
        let path = try folder.file("nan.gguf", data).path
        let logprobs = try Command("logprobs", path, "--tokens", "1,2", "--json")
        #expect(logprobs.status == 0)
        #expect((try logprobs.json()["rows"] as? [Any])?.count == 2)
        let run = try Command("run", path, "x", "-n", "4", "--json")
        #expect(run.status == 0 || run.isCleanFailure)
    }
}
