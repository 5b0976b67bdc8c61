// Every key of the committed models' metadata, removed, of another type, and with absurd values.

import Foundation
import InferGGUF
import InferSupport
import InferTokenizers
import SwiftInfer
import TestSupport
import Testing

@Suite struct MetadataFaultTests {
    /// Values that are wrong for almost every key, by what is wrong with them.
    private static let absurd: [MetadataValue?] = [
        nil, .uint8(0), .uint32(.max), .uint32(1), .uint32(3), .int32(-1), .uint64(.max), .int64(.min), .float32(0),
        .float32(-1), .float32(.nan), .float32(.infinity), .float32(.leastNonzeroMagnitude),
        .float32(.greatestFiniteMagnitude), .float64(1e300), .bool(true), .bool(false), .string(""),
        .string("\u{1b}[2Jabsurd\n"), .array(MetadataArray([] as [UInt32])), .array(MetadataArray([1, 2] as [UInt32])),
        .array(MetadataArray([-1] as [Int32])), .array(MetadataArray([.nan, 0] as [Float])),
        .array(MetadataArray(["a", ""])), .array(MetadataArray([true])),
    ]

    /// The architectures among the fixtures, one file each, that have keys of their own.
    private static let models = [
        "tiny-llama-yarn-f32", "tiny-gemma2-f32", "tiny-gemma3-scaled-f32", "tiny-granite-f32", "tiny-mistral3-f32",
        "tiny-gpt-oss-mxfp4", "tiny-qwen3moe-q4_k_m", "tiny-starcoder2-f32", "tiny-phi3-long-f32",
        "tiny-qwen35moe-q8_0", "tiny-deepseek2-lite-q8_0", "tiny-gemma4-ple-q8_0", "tiny-gemma4-moe-q8_0",
        "tiny-granitehybrid-q8_0", "tiny-kimi-linear-q8_0", "tiny-laguna-q8_0", "tiny-lfm2moe-q8_0",
        "tiny-nemotron_h_moe-q8_0", "tiny-falcon-h1-q8_0", "tiny-qwen4exp-q8_0",
    ]

    @Test("a model with one key changed computes, or says which file and which key", arguments: models)
    func oneKeyChanged(name: String) async throws {
        let original = try Fixture.file(name)
        let folder = try TemporaryFolder()
        let path = folder.path("changed.gguf")
        defer { withExtendedLifetime(folder) {} }
        var (loaded, refused) = (0, 0)
        for key in original.metadata.keys {
            for value in Self.absurd {
                var writer = GGUFWriter(metadata: original.metadata)
                writer.metadata[key] = value
                for tensor in original.tensors { try writer.addTensor(tensor, of: original) }
                do throws(InferenceError) {
                    try writer.write(to: path)
                } catch {
                    // The writer itself takes no such alignment.
                    #expect(key == "general.alignment", "\(error)")
                    continue
                }
                do throws(InferenceError) {
                    try await Self.use(path)
                    loaded += 1
                } catch {
                    refused += 1
                    let text = error.description
                    // A key that changes what tensors must look like shows in the first that does not; another architecture
                    // lacks keys of its own. A key that contradicts another is named without the architecture.
                    let name = key.split(separator: ".", maxSplits: 1).last ?? ""
                    let isNamed = text.contains(name) || text.contains("tensor ") || key == "general.architecture"
                    #expect(text.contains(path) && isNamed, "\(key) = \(String(describing: value)): \(text)")
                    #expect(!text.unicodeScalars.contains { $0.value < 32 || $0.value == 0x7f }, "\(text)")
                }
            }
        }
        print("\(name): \(loaded + refused) changes, \(loaded) loaded, \(refused) refused")
        #expect(loaded > 50 && refused > 100)
    }

    /// Loads the model at `path` and runs a step.
    private static func use(_ path: String) async throws(InferenceError) {
        let model = try Model(contentsOf: path, options: .init(backend: .cpu, threads: 1))
        let session = try model.makeSession(.init(contextLength: 16, drafter: .none))
        _ = try await session.respond(to: .tokens([0, 0]), options: .exactly(1))
    }

    @Test("a byte-pair vocabulary without a rule for splitting is used with a warning")
    func missingPreTokenizer() throws {
        let original = try Fixture.file("tiny-llama-f32")
        #expect(try Tokenizer(metadata: original.metadata).warnings.isEmpty)
        for value in [nil, MetadataValue.string("")] {
            var metadata = original.metadata
            metadata["tokenizer.ggml.pre"] = value
            let warnings = try Tokenizer(metadata: metadata).warnings
            #expect(warnings.count == 1)
            #expect(warnings.allSatisfy { $0.contains("tokenizer.ggml.pre") && $0.contains(original.path) })
        }
        // SentencePiece vocabularies split nothing.
        let gemma = try Fixture.file("tiny-gemma-f32")
        #expect(try Tokenizer(metadata: gemma.metadata).warnings.isEmpty)
    }
}
