// `swiftinfer quantize`: options, messages and files, through the built program.

import Foundation
import InferGGUF
import TestSupport
import Testing

struct QuantizeTests {
    private let folder: TemporaryFolder
    /// The path of the quantised file.
    private let output: String

    init() throws {
        folder = try TemporaryFolder()
        output = folder.url.appendingPathComponent("quantized.gguf").path
    }

    @discardableResult
    private func quantize(_ input: String = Fixture.llama, _ options: String...) throws -> Command {
        let run = try Command(["quantize", input, output] + options)
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.output.isEmpty)
        return run
    }

    @Test func modelsAreQuantized() throws {
        let run = try quantize(Fixture.llama, "q4_0", "--threads", "2")
        let file = try GGUFFile(path: output)
        #expect(file.tensor("blk.0.ffn_up.weight")?.type == .q4_0)
        // Rows of 64 do not fill Q6_K's blocks.
        #expect(file.tensor("output.weight")?.type == .q8_0)
        #expect(run.errors.contains("tensors converted to Q4_0"))
        #expect(try Command("logprobs", output, "--tokens", "1,2", "--json").status == 0)
    }

    @Test func replacementsAreReported() throws {
        let run = try quantize(Fixture.llama, "q4_k", "--pure")
        #expect(try GGUFFile(path: output).tensors.allSatisfy { $0.type == ($0.shape.count == 2 ? .q5_0 : .f32) })
        #expect(run.errors.contains("rows of 64 do not fill blocks of Q4_K: Q5_0 instead\n"))
        #expect(run.errors.contains("rows of 96 do not fill blocks of Q4_K: Q5_0 instead\n"))
        #expect(try quantize(Fixture.path("tiny-llama-q4_0"), "q8_0", "--force").errors.contains("quantised before"))
    }

    @Test func inputAndOtherFilesAreNotOverwritten() throws {
        let copy = folder.url.appendingPathComponent("copy.gguf"), link = folder.url.appendingPathComponent("link.gguf")
        try FileManager.default.copyItem(atPath: Fixture.llama, toPath: copy.path)
        try FileManager.default.linkItem(at: copy, to: link)
        for path in [copy.path, folder.url.path + "/./copy.gguf", link.path] {
            let run = try Command("quantize", copy.path, path, "q4_0", "--force")
            #expect(run.isCleanFailure)
            #expect(run.errors.contains("is the file that is read"))
        }
        let run = try Command("quantize", Fixture.qwen, copy.path, "q4_0")
        #expect(run.isCleanFailure)
        #expect(run.errors.contains("--force"))
        #expect(try Data(contentsOf: copy) == Data(contentsOf: URL(filePath: Fixture.llama)))
    }

    /// A fault in the middle leaves no part of the new file, and an older file stays.
    @Test func faultsLeaveNothingBehind() throws {
        var writer = GGUFWriter()
        writer.metadata["general.architecture"] = .string("llama")
        try writer.addTensor("a.weight", type: .f32, shape: [32, 2], elements: [Float](repeating: 1, count: 64))
        var values = [Float](repeating: 1, count: 64)
        values[40] = .infinity
        try writer.addTensor("b.weight", type: .f32, shape: [32, 2], elements: values)
        let source = folder.url.appendingPathComponent("source.gguf").path
        try writer.write(to: source)
        try Data("precious".utf8).write(to: URL(filePath: output))
        let run = try Command("quantize", source, output, "q4_0", "--force")
        #expect(run.isCleanFailure)
        #expect(run.errors.contains("tensor b.weight cannot become Q4_0: it contains NaN or infinity"))
        #expect(try Data(contentsOf: URL(filePath: output)) == Data("precious".utf8))
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.url.path).sorted() == [
                "quantized.gguf", "source.gguf",
            ])
    }

    @Test func filesThatCannotBeReadOrWrittenAreRefused() throws {
        #expect(try Command("quantize", "no-such-file.gguf", output, "q4_0").isCleanFailure)
        #expect(try Command("quantize", Fixture.llama, folder.url.path + "/none/x.gguf", "q4_0").isCleanFailure)
        #expect(try Command("quantize", Fixture.llama, folder.url.path, "q4_0", "--force").isCleanFailure)
    }
}
