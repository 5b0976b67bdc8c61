// `swiftinfer make-model`: options and files, through the built program.

import Foundation
import InferGGUF
import TestSupport
import Testing

struct MakeModelTests {
    /// The path of the file made with `options`.
    private func made(_ folder: TemporaryFolder, _ name: String, _ options: String...) throws -> String {
        let path = folder.url.appendingPathComponent(name).path
        let run = try Command(["make-model", "smollm2-135m", "--layers", "1", "-o", path] + options)
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.output.isEmpty)
        return path
    }

    @Test func modelsAreMade() throws {
        let folder = try TemporaryFolder()
        let path = try made(folder, "model.gguf")
        #expect(try GGUFFile(path: path).tensor("blk.0.ffn_down.weight")?.type == .q4_K)
        #expect(try Command("logprobs", path, "--tokens", "1,2", "--top", "5", "--json").status == 0)
    }

    @Test func filesAreNotOverwrittenWithoutForce() throws {
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
