// `swiftinfer run` through the built program.

import Foundation
import InferGGUF
import TestSupport
import Testing

struct RunTests {
    /// The model's greedy answer to this prompt has at least 24 tokens.
    private static let prompt = "for i in range(len(self.items)):\n    print("

    @Test func jsonHasTheAgreedShapeAndLlamaCppsTokens() throws {
        let reference = try Fixture.named("tiny-llama-f32").cases[1]
        let run = try Command(
            "run", Fixture.llama, reference.prompt, "-n", "24", "--kv-type", "f32", "--json", "--drafter", "none")
        #expect(run.status == 0)
        #expect(run.errors.isEmpty)
        let object = try run.json()
        #expect(object["tokens"] as? [Int] == reference.steps.map(\.token))
        #expect(object["prompt_tokens"] as? Int == reference.promptTokens.count)
        #expect((object["text"] as? String)?.isEmpty == false)
        #expect((object["logits_hash"] as? String)?.count == 16)
        let timings = try #require(object["timings"] as? [String: Any])
        let names: Set = [
            "load_ms", "prompt_ms", "decode_ms", "prompt_tokens_per_second", "decode_tokens_per_second",
        ]
        #expect(Set(timings.keys) == names)
        #expect(timings.values.allSatisfy { ($0 as? Double ?? -1) > 0 })
        let draft = try #require(object["draft"] as? [String: Any])
        #expect(draft["drafter"] as? String == "none")
        #expect(draft["steps"] as? Int == 23)
        for name in ["drafted", "accepted", "retrieval_ms"] { #expect(draft[name] as? Double == 0) }
    }

    @Test func promptComesFromArgumentFileOrPipe() throws {
        let folder = try TemporaryFolder()
        let file = try folder.file("prompt.txt", Data(Self.prompt.utf8)).path
        let byArgument = try Command("run", Fixture.llama, Self.prompt, "-n", "12")
        let byFile = try Command("run", Fixture.llama, "-f", file, "-n", "12")
        let byPipe = try Command("run", Fixture.llama, "-n", "12", input: Self.prompt)
        let byDevice = try Command("run", Fixture.llama, "-f", "/dev/stdin", "-n", "12", input: Self.prompt)
        let text = try Command("run", Fixture.llama, Self.prompt, "-n", "12", "--json").json()["text"] as? String
        #expect(byArgument.status == 0)
        #expect(!byArgument.output.isEmpty)
        #expect(byArgument.output == text)
        #expect(byFile.output == text)
        #expect(byPipe.output == text)
        #expect(byDevice.output == text)
    }

    @Test func answersHaveTheWantedForm() throws {
        let folder = try TemporaryFolder()
        let schema =
            #"{"type":"object","properties":{"a":{"enum":["x","y"]},"b":{"type":"boolean"}},"required":["a","b"]}"#
        let file = try folder.file("schema.json", Data(schema.utf8)).path
        for options in [["--chat"], ["--temperature", "2", "--seed", "3"]] {
            let output = try Command(["run", Fixture.llama, Self.prompt, "--json-schema", file] + options).output
            let object = try #require(JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any])
            #expect(object.count == 2 && ["x", "y"].contains(object["a"] as? String ?? "") && object["b"] is Bool)
        }
        let grammar = try folder.file("list.gbnf", Data(#"root ::= ("- " [a-c]{2} "\n"){3}"#.utf8)).path
        let list = try Command("run", Fixture.llama, Self.prompt, "--grammar", grammar).output
        #expect(list.wholeMatch(of: /(- [abc]{2}\n){3}/) != nil, "\(list)")

        let bad = try folder.file("bad.gbnf", Data("root ::= (".utf8)).path
        let refused = try Command("run", Fixture.llama, "a", "--grammar", bad)
        #expect(refused.status == 1 && refused.errors.contains("bad.gbnf: the grammar, line 1, column 11"))
        #expect(try Command("run", Fixture.llama, "a", "--grammar", bad, "--json-schema", file).status == 64)
    }

    @Test func greedyRepeatsAndSeedsDecide() throws {
        func hash(_ options: String...) throws -> [String] {
            let object = try Command(["run", Fixture.llama, Self.prompt, "-n", "16", "--json"] + options).json()
            return [object["logits_hash"] as? String ?? "", object["text"] as? String ?? ""]
        }
        #expect(try hash() == hash("--threads", "3"))
        #expect(try hash("--temperature", "0.9", "--seed", "7") == hash("--temperature", "0.9", "--seed", "7"))
        #expect(try hash("--temperature", "0.9", "--seed", "7") != hash("--temperature", "0.9", "--seed", "8"))
    }

    @Test func stopStringEndsTheText() throws {
        // A random model's text contains many invalid bytes, so stop at a letter.
        let whole = try Command("run", Fixture.llama, Self.prompt, "-n", "24").output
        let letter = try #require(whole.firstIndex { $0.isASCII && $0.isLetter })
        let stop = String(whole[letter])
        let before = String(whole[..<letter])
        let run = try Command(
            "run", Fixture.llama, Self.prompt, "-n", "24", "--stop", "this is not in the text", "--stop", stop, "--json"
        )
        #expect(run.status == 0)
        #expect(try run.json()["text"] as? String == before)
        #expect(try run.json()["finish_reason"] as? String == "stopString")
    }

    @Test func chatAppliesTheTemplate() throws {
        let question = "What is 2 + 2?"
        let template =
            "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n\(question)<|im_end|>\n"
            + "<|im_start|>assistant\n"
        let raw = try Command("run", Fixture.qwen, template, "--special", "-n", "8", "--json").json()
        let chat = try Command(
            "run", Fixture.qwen, "--chat", "--system", "Be brief.", question, "-n", "8", "--temperature", "0", "--json"
        ).json()
        #expect(chat["logits_hash"] as? String == raw["logits_hash"] as? String)
        #expect(chat["prompt_tokens"] as? Int == raw["prompt_tokens"] as? Int)
    }

    @Test func thoughtsAndCallsAreParsedOutOfAnAnswer() throws {
        let pieces = [
            "The sky.Ċ</think>ĊI will look.Ċ", "<tool_call>Ċ",
            #"{"name":Ġ"weather",Ġ"arguments":Ġ{"city":Ġ"Rome"}}"#, "Ċ</tool_call>",
        ]
        let folder = try TemporaryFolder()
        let path = folder.path("chain.gguf")
        try Self.chain(of: pieces).write(to: path)
        let template = try folder.write(
            "template.jinja",
            "{% for m in messages %}{{ m.content }}{% endfor %}{% if tools %}<tool_call></tool_call></think>{% endif %}<think>"
        )
        let arguments = [
            "run", path, "--chat", "--chat-template", template, "How is it?", "-n", "9", "--temperature", "0",
        ]
        let object = try Command(arguments + ["--json"]).json()
        #expect(object["text"] as? String == "I will look.")
        #expect(object["reasoning"] as? String == "The sky.")
        #expect((object["tokens"] as? [Int])?.count == 5)
        let calls = try #require(object["tool_calls"] as? [[String: Any]])
        let function = try #require(calls.first?["function"] as? [String: String])
        #expect(calls.count == 1 && calls[0]["type"] as? String == "function" && calls[0]["id"] is String)
        #expect(function["name"] == "weather")
        #expect(function["arguments"]?.filter { $0 != " " } == #"{"city":"Rome"}"#)

        let run = try Command(arguments)
        #expect(run.status == 0)
        #expect(run.output == "I will look.\n" || run.output == "I will look.")
        #expect(run.errors.contains("The sky.") && run.errors.contains("calls weather with"))
        #expect(!(run.output + run.errors).contains("tool_call>"))
        // Without --chat all is text.
        let plain = try Command("run", path, "x", "-n", "9", "--json").json()
        #expect((plain["text"] as? String)?.contains("<tool_call>") == true)
        #expect(plain["tool_calls"] == nil && plain["reasoning"] == nil)
    }

    /// A model that answers any prompt with `pieces`, given in the spelling of byte-level vocabularies, and ends.
    private static func chain(of pieces: [String]) throws -> GGUFWriter {
        let original = try GGUFFile(path: Fixture.qwen)
        var metadata = Metadata()
        for key in original.metadata.keys where key.hasPrefix("tokenizer.ggml") {
            metadata[key] = original.metadata[key]
        }
        let tokens = try #require(try original.metadata.strings("tokenizer.ggml.tokens")).map {
            String(decoding: $0, as: UTF8.self)
        }
        let types = try #require(try original.metadata.integers("tokenizer.ggml.token_type"))
        let end = try #require(try original.metadata.integer("tokenizer.ggml.eos_token_id"))
        metadata["tokenizer.ggml.tokens"] = .array(MetadataArray(tokens + pieces))
        metadata["tokenizer.ggml.token_type"] = .array(
            MetadataArray((types + pieces.map { _ in 1 }).map { Int32($0) }))
        metadata["general.architecture"] = .string("llama")
        for (key, value) in [
            ("context_length", 256), ("block_count", 1), ("attention.head_count", 1), ("feed_forward_length", 32),
        ] {
            metadata["llama." + key] = .uint32(UInt32(value))
        }
        let count = tokens.count + pieces.count
        let width = (count + 31) / 32 * 32
        metadata["llama.embedding_length"] = .uint32(UInt32(width))
        metadata["llama.attention.layer_norm_rms_epsilon"] = .float32(1e-6)
        var writer = GGUFWriter(metadata: metadata)
        func add(_ name: String, _ shape: [Int], _ value: (Int) -> Float) throws {
            try writer.addTensor(
                name + ".weight", type: .f32, shape: shape, elements: (0..<shape.reduce(1, *)).map(value))
        }
        // Each token has a direction of its own, and the layers add nothing.
        try add("token_embd", [width, count]) { $0 % width == $0 / width ? 1 : 0 }
        let next = (0..<count).map { token in
            token < tokens.count ? tokens.count : token == count - 1 ? end : token + 1
        }
        try add("output", [width, count]) { index in
            let (row, column) = index.quotientAndRemainder(dividingBy: width)
            return column < count && next[column] == row ? 1 : 0
        }
        for name in ["output_norm", "blk.0.attn_norm", "blk.0.ffn_norm"] { try add(name, [width]) { _ in 1 } }
        for name in ["attn_q", "attn_k", "attn_v", "attn_output"] {
            try add("blk.0." + name, [width, width]) { _ in 0 }
        }
        for name in ["ffn_gate", "ffn_up"] { try add("blk.0." + name, [width, 32]) { _ in 0 } }
        try add("blk.0.ffn_down", [32, width]) { _ in 0 }
        return writer
    }

    @Test func statisticsGoToStandardError() throws {
        let run = try Command("run", Fixture.llama, Self.prompt, "-n", "4", "--stats")
        #expect(run.status == 0)
        #expect(run.errors.contains("tokens/s"))
        #expect(!run.output.contains("tokens/s"))
    }

    @Test func unexpectedEndsAreExplained() throws {
        let full = try Command(
            "run", Fixture.llama, Self.prompt, "--ignore-eos", "--context", "60", "--drafter", "none")
        #expect(full.status == 0)
        #expect(full.errors.hasPrefix("swiftinfer: the text ends here") && full.errors.contains("--context"))
        #expect(full.errors.split(separator: "\n").count == 1)
        let length = try Command("run", Fixture.llama, Self.prompt, "--ignore-eos", "--drafter", "none")
        #expect(length.status == 0)
        #expect(length.errors.contains("256") && length.errors.contains("-n"))
        #expect(try Command("run", Fixture.llama, Self.prompt, "-n", "3").errors.isEmpty)
    }

    @Test func standardInputGoesBeforeTheArgument() throws {
        let options = ["-n", "0", "--json"]
        func tokens(_ arguments: [String], input: String = "") throws -> Int? {
            try Command(["run", Fixture.llama] + arguments + options, input: input).json()["prompt_tokens"] as? Int
        }
        let joined = try tokens(["some code\nExplain"])
        #expect(try tokens(["Explain"], input: "some code") == joined)
        #expect(try tokens(["Explain"], input: "some code\n") == joined)
        #expect(try tokens(["-p", "Explain"], input: "some code\n") == joined)
        #expect(try tokens(["-p", "some code\nExplain"]) == joined)
        let whole = try Command("tokenize", Fixture.llama, "some code\nExplain", "--json").output
        #expect(try Command("tokenize", Fixture.llama, "Explain", "--json", input: "some code").output == whole)
    }

    @Test func optionsOfOtherProgramsAreAccepted() throws {
        let plain = try Command("run", Fixture.llama, Self.prompt, "-n", "4", "--threads", "2").output
        for options in [["-t", "2"], ["-c", "512"], ["--temp", "0"], ["--seed", "-1"], ["--top-k", "-1"]] {
            let run = try Command(["run", Fixture.llama, Self.prompt, "-n", "4"] + options)
            #expect(run.status == 0, "\(run.errors)")
            #expect(run.output == plain)
        }
    }

    @Test func longPromptIsRefusedWithNumbers() throws {
        let run = try Command("run", Fixture.llama, Self.prompt, "--context", "4")
        #expect(run.isCleanFailure)
        #expect(run.errors.contains("4"))
    }

    @Test func interruptKeepsTheTextSoFar() throws {
        // The answer is long enough that the signal, sent at the first text, arrives while it is generated.
        let arguments = ["run", Fixture.llama, Self.prompt, "-n", "-1", "--ignore-eos", "--context", "200000"]
        let run = try Command(arguments) { running in
            while try running.output.isEmpty, running.process.isRunning { usleep(10_000) }
            running.process.interrupt()
        }
        #expect(run.status == 130)
        #expect(!run.output.isEmpty)
        #expect(run.errors.isEmpty)
    }

    @Test func closedPipeEndsQuietly() throws {
        let folder = try TemporaryFolder()
        let errors = try folder.file("errors", Data())
        let shell = Process()
        shell.executableURL = URL(fileURLWithPath: "/bin/sh")
        shell.environment = ProcessInfo.processInfo.environment.merging(["XDG_CACHE_HOME": folder.url.path]) { $1 }
        shell.arguments = [
            "-c", #""$0" run "$1" x -n -1 --ignore-eos --context 200000 2>"$2" | head -c 4 >/dev/null"#,
            Command.executable.path, Fixture.llama, errors.path,
        ]
        try shell.run()
        shell.waitUntilExit()
        #expect(shell.terminationStatus == 0)
        #expect(try Data(contentsOf: errors).isEmpty)
    }
}
