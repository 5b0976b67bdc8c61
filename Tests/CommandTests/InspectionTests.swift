// `swiftinfer tokenize`, `detokenize`, `show` and `doctor` through the built program.

import Foundation
import InferGGUF
import TestSupport
import Testing

struct InspectionTests {
    private func tokens(_ arguments: String..., input: String = "") throws -> [Int] {
        try #require(try Command(["tokenize"] + arguments + ["--json"], input: input).json()["tokens"] as? [Int])
    }

    @Test func tokenizeAgreesWithLlamaCpp() throws {
        for reference in try Fixture.named("tiny-llama-f32").cases {
            #expect(try tokens(Fixture.llama, reference.prompt) == reference.promptTokens)
            #expect(try tokens(Fixture.llama, "-f", "/dev/stdin", input: reference.prompt) == reference.promptTokens)
            #expect(
                try tokens(Fixture.llama, "--no-bos", input: reference.prompt) == Array(reference.promptTokens[1...]))
        }
    }

    @Test func specialTokensAreParsedOnRequest() throws {
        let text = "a<|im_end|>b"
        #expect(try tokens(Fixture.qwen, "--special", text).count == 3)
        #expect(try tokens(Fixture.qwen, text).count > 3)
    }

    @Test func detokenizeIsTheInverse() throws {
        let text = "// naïve café: 数 → 🙂 1000\n\tlet x = [1, 2]\n"
        let list = try tokens(Fixture.llama, "--no-bos", text).map(String.init).joined(separator: ",")
        #expect(try Command("detokenize", Fixture.llama, "--tokens", list).output == text)
        #expect(try Command("detokenize", Fixture.llama, "--tokens", list, "--json").json()["text"] as? String == text)
    }

    @Test(arguments: [["--no-bos"], ["--no-bos", "--json"]]) func detokenizeReadsTokenize(options: [String]) throws {
        let text = "a \"5, 6\"\n naïve 数 🙂 <0xC3> {\n"
        let printed = try Command(["tokenize", Fixture.llama] + options, input: text)
        #expect(try Command("detokenize", Fixture.llama, input: printed.output).output == text)
    }

    @Test func detokenizeReadsIdsAlone() throws {
        for list in ["40,10 97", "40\n10\n97\n", "[40, 10, 97]"] {
            #expect(try Command("detokenize", Fixture.llama, input: list).output == "(\na")
        }
        for other in ["some text", "40 x", "{\"text\":\"a\"}"] {
            #expect(try Command("detokenize", Fixture.llama, input: other).isCleanFailure)
        }
    }

    @Test func tokenTableHasOneLineForEach() throws {
        let run = try Command("tokenize", Fixture.llama, "--no-bos", "(\n(")
        #expect(run.output.hasPrefix("     40  \"(\"\n"))
        #expect(run.output.contains("\\n"))
        #expect(run.output.split(separator: "\n").count == (try tokens(Fixture.llama, "--no-bos", "(\n(").count))
    }

    @Test func showDescribesAModel() throws {
        let object = try Command("show", Fixture.qwen, "--json").json()
        #expect(object["architecture"] as? String == "qwen2")
        #expect(object["problem"] == nil)
        #expect(object["layers"] as? Int == 2)
        #expect(try #require(object["parameters"] as? Int) > 10_000)
        #expect(try #require(object["vocabulary_size"] as? Int) > 256)
        let types = try #require(object["types"] as? [[String: Any]])
        #expect(types.contains { $0["type"] as? String == "F32" })
        let tokenizer = try #require(object["tokenizer"] as? [String: Any])
        #expect(tokenizer["pre"] as? String == "qwen2")
        let infill = try #require(tokenizer["fim"] as? [String: Int])
        #expect(Set(infill.keys).isSuperset(of: ["prefix", "suffix", "middle"]))
        let template = try #require(object["chat_template"] as? [String: Any])
        #expect(template["kind"] is String)

        let text = try Command("show", Fixture.qwen)
        #expect(text.status == 0)
        #expect(text.output.contains("qwen2"))
    }

    @Test func showWorksOnModelsThatCannotRun() throws {
        let folder = try TemporaryFolder()
        var metadata = Metadata()
        metadata["general.architecture"] = .string("not-a-transformer")
        metadata["not-a-transformer.block_count"] = .uint32(3)
        metadata["general.name"] = .string("\u{1B}[31mred")
        let path = folder.url.appendingPathComponent("vocabulary.gguf").path
        try GGUFWriter(metadata: metadata).write(to: path)

        let object = try Command("show", path, "--json").json()
        #expect(object["architecture"] as? String == "not-a-transformer")
        #expect(object["layers"] as? Int == 3)
        #expect(object["problem"] is String)
        let text = try Command("show", path)
        #expect(text.status == 0)
        #expect(!text.output.contains("\u{1B}"))
        #expect(try Command("run", path, "x").isCleanFailure)
    }

    @Test func doctorDescribesTheMachine() throws {
        let folder = try TemporaryFolder()
        let object = try Command("doctor", "--json", environment: ["SWIFTINFER_MODELS": folder.url.path]).json()
        #expect((object["kernels"] as? String)?.isEmpty == false)
        #expect((object["blas"] as? String)?.isEmpty == false)
        #expect(object["model_folder"] as? String == folder.url.path)
        let machine = try #require(object["machine"] as? [String: Any])
        #expect(try #require(machine["usable_processors"] as? Int) > 0)
        #expect(try #require(machine["memory"] as? Int) > 1 << 20)
        let models = try #require(object["models"] as? [[String: Any]])
        #expect(models.contains { $0["name"] as? String == "smollm2-135m-instruct" })
        #expect(models.allSatisfy { $0["present"] as? Bool == false })
        #expect(try Command("doctor").output.contains("processor"))
    }
}
