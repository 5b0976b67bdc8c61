// `swiftinfer make-model` from outside.

import Foundation
import InferGGUF
import TestSupport
import Testing

struct MakeModelTests {
    /// Bytes of the file made with `options`.
    private func made(_ folder: TemporaryFolder, _ name: String, _ options: String...) throws -> String {
        let path = folder.url.appendingPathComponent(name).path
        let run = try Command(["make-model", "smollm2-135m", "--layers", "1", "-o", path] + options)
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.output.isEmpty)
        return path
    }

    @Test(arguments: ["q4_0", "q4_k", "q8_0", "f16"]) func modelsCanBeRun(type: String) throws {
        let folder = try TemporaryFolder()
        let path = try made(folder, "model.gguf", "--type", type)
        let object = try Command("logprobs", path, "--tokens", "1,2", "--top", "5", "--json").json()
        let rows = try #require(object["rows"] as? [[String: Any]])
        for row in rows {
            let top = try #require(row["top"] as? [[Double]])
            // Random weights of the right spread know nothing, but no token is sure either.
            #expect(top.allSatisfy { $0[1] < -1 && $0[1] > -12 })
        }
    }

    @Test func rowsThatDoNotFillBlocksGetAnotherType() throws {
        let folder = try TemporaryFolder()
        let file = try GGUFFile(path: made(folder, "model.gguf", "--type", "q4_k"))
        #expect(file.tensor("blk.0.attn_q.weight")?.type == .q5_0)
        #expect(file.tensor("blk.0.ffn_down.weight")?.type == .q4_K)
        #expect(file.tensor("token_embd.weight")?.type == .q8_0)
        #expect(file.tensor("blk.0.attn_norm.weight")?.type == .f32)
        #expect(file.tensor("blk.1.attn_norm.weight") == nil)
    }

    @Test func theSameArgumentsGiveTheSameBytes() throws {
        let folder = try TemporaryFolder()
        let first = try Data(contentsOf: URL(filePath: made(folder, "a.gguf", "--type", "q4_1")))
        let second = try Data(contentsOf: URL(filePath: made(folder, "b.gguf", "--type", "q4_1")))
        #expect(first == second)
    }

    @Test func filesAreNotOverwrittenUnasked() throws {
        let folder = try TemporaryFolder()
        let path = folder.url.appendingPathComponent("model.gguf").path
        try Data("precious".utf8).write(to: URL(filePath: path))
        let run = try Command(["make-model", "smollm2-135m", "--layers", "1", "-o", path])
        #expect(run.isCleanFailure)
        #expect(try Data(contentsOf: URL(filePath: path)) == Data("precious".utf8))
        _ = try made(folder, "model.gguf", "--force", "--type", "q2_k")
        #expect(try GGUFFile(path: path).tensors.count == 11)
    }
}
