// `swiftinfer quantize` from outside.

import Foundation
import InferGGUF
import TestSupport
import Testing

struct QuantizeTests {
    private let folder: TemporaryFolder
    /// Where the results go.
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

    @Test func matricesChangeAndNothingElse() throws {
        try quantize(Fixture.llama, "q4_0")
        let (before, after) = (try GGUFFile(path: Fixture.llama), try GGUFFile(path: output))
        #expect(after.tensors.map(\.name) == before.tensors.map(\.name))
        #expect(after.tensors.map(\.shape) == before.tensors.map(\.shape))
        for (old, new) in zip(before.tensors, after.tensors) {
            switch new.name {
            // Rows of 64 do not fill Q6_K's blocks.
            case "output.weight": #expect(new.type == .q8_0)
            case _ where new.shape.count == 2: #expect(new.type == .q4_0)
            default:
                #expect(new.type == .f32)
                #expect(Array(after.bytes(of: new)) == Array(before.bytes(of: old)))
            }
        }
        #expect(after.metadata["general.file_type"] == .uint32(2))
        #expect(after.metadata["general.quantization_version"] == .uint32(2))
        for key in before.metadata.keys where !["general.file_type", "general.quantization_version"].contains(key) {
            #expect(after.metadata[key] == before.metadata[key])
        }
        #expect(after.metadata.keys.count <= before.metadata.keys.count + 2)
    }

    /// The probabilities of the reference's first continuation, by our file and by the original.
    @Test(arguments: [("q8_0", 0.15), ("f16", 0.005), ("bf16", 0.06), ("q5_1", 0.8)])
    func theModelStaysItself(type: String, bound: Double) throws {
        try quantize(Fixture.llama, type)
        func rows(_ path: String) throws -> [[Int: Double]] {
            let object = try Command("logprobs", path, "--tokens", "304,10,20,30,40", "--top", "300", "--json").json()
            let rows = try #require(object["rows"] as? [[String: Any]])
            return try rows.map { row in
                let top = try #require(row["top"] as? [[Double]])
                return Dictionary(uniqueKeysWithValues: top.map { (Int($0[0]), $0[1]) })
            }
        }
        for (ours, original) in zip(try rows(output), try rows(Fixture.llama)) {
            let distance = original.reduce(0) { $0 + exp($1.value) * abs($1.value - (ours[$1.key] ?? -100)) }
            #expect(distance < bound)
        }
    }

    @Test(arguments: ["q4_1", "q2_k", "q5_k", "iq4_xs", "mxfp4"]) func threadsDoNotChangeTheBytes(type: String) throws {
        try quantize(Fixture.qwen, type, "--threads", "1")
        let one = try Data(contentsOf: URL(filePath: output))
        try quantize(Fixture.qwen, type, "--threads", "3", "--force")
        #expect(try Data(contentsOf: URL(filePath: output)) == one)
    }

    @Test func blocksThatDoNotFitAreReplaced() throws {
        let run = try quantize(Fixture.llama, "q4_k", "--pure")
        let file = try GGUFFile(path: output)
        #expect(file.tensors.allSatisfy { $0.type == ($0.shape.count == 2 ? .q5_0 : .f32) })
        #expect(run.errors.contains("rows of 64 do not fill blocks of Q4_K: Q5_0 instead\n"))
        #expect(run.errors.contains("rows of 96 do not fill blocks of Q4_K: Q5_0 instead\n"))
    }

    @Test func whatIsQuantizedAlreadyIsKeptOrSaid() throws {
        let source = Fixture.path("tiny-llama-q4_0")
        let run = try quantize(source, "q4_0", "--pure")
        let before = try GGUFFile(path: source), after = try GGUFFile(path: output)
        let name = "blk.0.ffn_up.weight"
        let (old, new) = (try #require(before.tensor(name)), try #require(after.tensor(name)))
        #expect(old.type == .q4_0)
        #expect(Array(after.bytes(of: new)) == Array(before.bytes(of: old)))
        #expect(!run.errors.contains(name))
        #expect(try quantize(source, "q8_0", "--force").errors.contains("quantised before"))
    }

    @Test func splitModelsBecomeOneFile() throws {
        try quantize(Fixture.path("tiny-llama-split-f32-00001-of-00003"), "f16")
        let file = try GGUFFile(path: output)
        #expect(!file.metadata.keys.contains { $0.hasPrefix("split.") })
        #expect(
            file.tensors.count
                == (try GGUFFile(path: Fixture.path("tiny-llama-split-f32-00001-of-00003"))).tensors.count)
        #expect(try Command("logprobs", output, "--tokens", "1,2", "--json").status == 0)
    }

    @Test func expertsAreQuantizedAndTheirRoutersAreNot() throws {
        try quantize(Fixture.path("tiny-qwen3moe-f32"), "q8_0")
        let file = try GGUFFile(path: output)
        let types = Dictionary(uniqueKeysWithValues: file.tensors.map { ($0.name, $0.type) })
        #expect(types["blk.0.ffn_gate_inp.weight"] == .f32)
        #expect(types["blk.0.ffn_down_exps.weight"] == .q8_0)
        #expect(types["blk.0.attn_q_norm.weight"] == .f32)
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

    /// A fault in the middle leaves neither the file nor its beginnings, and an older file stays.
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

    @Test func whatCannotBeReadOrWrittenIsSaid() throws {
        #expect(try Command("quantize", "no-such-file.gguf", output, "q4_0").isCleanFailure)
        #expect(try Command("quantize", Fixture.llama, folder.url.path + "/none/x.gguf", "q4_0").isCleanFailure)
        #expect(try Command("quantize", Fixture.llama, folder.url.path, "q4_0", "--force").isCleanFailure)
    }
}
