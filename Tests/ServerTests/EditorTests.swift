// The requests of editors: llama.vim's as it sends them, llama.cpp's other routes, Ollama's.

#if Server

import InferSupport
import SwiftInfer
import Testing

@Suite struct EditorTests {
    /// The request of llama.vim for a completion (autoload/llama.vim, the dictionary `l:request`).
    private static let fill = """
        {"id_slot":0,"input_prefix":"def add(a, b):\\n","input_suffix":"\\n\\nprint(add(1, 2))\\n","input_extra":[{"text":\
        "class Stack:\\n    pass\\n","time":[0,1],"filename":"stack.py"}],"prompt":"    return ","n_predict":8,"stop":[],\
        "n_indent":4,"top_k":40,"top_p":0.90,"samplers":["top_k","top_p","infill"],"stream":false,"cache_prompt":true,\
        "t_max_prompt_ms":500,"t_max_predict_ms":1000,"response_fields":["content","timings/prompt_n","timings/prompt_ms",\
        "timings/prompt_per_token_ms","timings/prompt_per_second","timings/predicted_n","timings/predicted_ms",\
        "timings/predicted_per_token_ms","timings/predicted_per_second","truncated","tokens_cached"]}
        """
    /// The request that warms the cache for the files around.
    private static let warmUp = """
        {"id_slot":0,"input_prefix":"","input_suffix":"","input_extra":[{"text":"class Stack:\\n    pass\\n","filename":\
        "stack.py"}],"prompt":"","n_predict":0,"temperature":0.0,"samplers":[],"stream":false,"cache_prompt":true,\
        "t_max_prompt_ms":1,"t_max_predict_ms":1,"response_fields":[""]}
        """

    @Test func llamaVimWorks() async throws {
        try await TestServer.run { server in
            let warm = try await server.post("/infill", text: Self.warmUp)
            #expect(warm.status == 200 && warm.json == [:])
            let reply = try await server.post("/infill", text: Self.fill)
            #expect(reply.status == 200)
            let members = try #require(reply.json.object?.members.map(\.key))
            #expect(
                members == [
                    "content", "timings/prompt_n", "timings/prompt_ms", "timings/prompt_per_token_ms",
                    "timings/prompt_per_second", "timings/predicted_n", "timings/predicted_ms",
                    "timings/predicted_per_token_ms", "timings/predicted_per_second", "truncated", "tokens_cached",
                ])
            #expect(reply.json["truncated"] == false)
            #expect(reply.json["content"]?.string != nil)
        }
    }

    /// Samplers by name and by letter: those that are left out are off, so the most probable token is not the only one.
    @Test func samplersAreNamesOrLetters() async throws {
        try await TestServer.run { server in
            func text(_ samplers: JSONValue) async throws -> String? {
                let request: JSONValue = [
                    "prompt": "a = ", "n_predict": 12, "ignore_eos": true, "temperature": 5, "top_k": 1, "seed": 3,
                    "samplers": samplers,
                ]
                return try await server.post("/completion", request).json["content"]?.string
            }
            let greedy = try await text(["top_k", "temperature"])
            #expect(try await text("edkypmxt") == greedy)
            #expect(try await text("top_k") == greedy)
            #expect(try await text("dypmxt") != greedy)
            #expect(try await text(["top_p", "temperature"]) != greedy)
        }
    }

    @Test func llamaServersCompletionHasItsFields() async throws {
        try await TestServer.run { server in
            let reply = try await server.post(
                "/completion", ["prompt": "a = ", "n_predict": 4, "ignore_eos": true, "grammar": "", "unknown": [1]])
            #expect(reply.json["stop"] == true && reply.json["stop_type"] == "limit")
            #expect(reply.json["tokens_predicted"] == 4)
            #expect(reply.json["timings"]?["predicted_n"] == 4)
            let stream = try await server.post(
                "/completion",
                ["prompt": "a = ", "n_predict": 4, "ignore_eos": true, "stream": true, "return_progress": true])
            #expect(stream.events.contains { $0["prompt_progress"]?["processed"] != nil })
            let text = stream.events.compactMap { $0["content"]?.string }.joined()
            #expect(text == reply.json["content"]?.string)
            #expect(stream.events.last?["stop"] == true)
            let content = try #require(reply.json["content"]?.string)
            let word = String(content.suffix(1))
            let stopped = try await server.post(
                "/completion", ["prompt": "a = ", "n_predict": 4, "ignore_eos": true, "stop": ["§§", .string(word)]])
            #expect(stopped.json["stop_type"] == "word" && stopped.json["stopping_word"] == .string(word))
            let warm = try await server.post("/completion", ["prompt": "a = ", "n_predict": 0])
            #expect(warm.status == 200 && warm.json["content"] == "")
        }
    }

    @Test func tokensGoBothWays() async throws {
        try await TestServer.run { server in
            let reply = try await server.post("/tokenize", ["content": "let é = 1"])
            let tokens = try #require(reply.json["tokens"])
            #expect(try await server.post("/detokenize", ["tokens": tokens]).json["content"] == "let é = 1")
            let pieces = try await server.post("/tokenize", ["content": "ab", "with_pieces": true])
            #expect(pieces.json["tokens"]?.array?[0]["piece"] != nil)
            let prompt = try await server.post("/apply-template", ["messages": [["role": "user", "content": "hi"]]])
            #expect(prompt.json["prompt"]?.string?.contains("hi") == true)
        }
    }

    @Test func theServerDescribesItself() async throws {
        try await TestServer.run { server in
            #expect(try await server.get("/health").json == ["status": "ok"])
            let properties = try await server.get("/props").json
            #expect(properties["default_generation_settings"]?["n_ctx"] == 256)
            #expect(properties["can_fill_gaps"] == true)
            #expect(try await server.get("/slots").json.array?.isEmpty == false)
            _ = try await server.post("/completion", ["prompt": "a", "n_predict": 2])
            let metrics = try await server.get("/metrics")
            #expect(metrics.headers["content-type"]?.hasPrefix("text/plain") == true)
            for name in ["requests_processing", "time_to_first_token_seconds_count", "n_decode_total"] {
                #expect(metrics.body.contains("swiftinfer:\(name) "))
            }
            let page = try await server.get("/")
            #expect(page.headers["content-security-policy"]?.contains("default-src 'none'") == true)
            #expect(page.body.contains("<title>swiftinfer</title>"))
            #expect(try await server.get("/openapi.json").json["openapi"]?.string?.hasPrefix("3.1") == true)
        }
    }

    @Test func ollamasClientsWork() async throws {
        try await TestServer.run { server in
            #expect(try await server.get("/api/version").json["version"] != nil)
            #expect(try await server.get("/api/tags").json["models"]?.array?[0]["name"] == "tiny-qwen2-f32")
            let shown = try await server.post("/api/show", ["model": "x"])
            #expect(shown.json["capabilities"]?.array?.contains("insert") == true)
            let stream = try await server.post(
                "/api/generate", ["model": "x", "prompt": "a = ", "raw": true, "options": ["num_predict": 4]])
            #expect(stream.headers["content-type"] == "application/x-ndjson")
            #expect(stream.lines.last?["done"] == true && stream.lines.last?["eval_count"] != nil)
            let whole = try await server.post(
                "/api/generate",
                ["model": "x", "prompt": "a = ", "raw": true, "stream": false, "options": ["num_predict": 4]])
            #expect(stream.lines.compactMap { $0["response"]?.string }.joined() == whole.json["response"]?.string)
            let gap = try await server.post(
                "/api/generate",
                [
                    "model": "x", "prompt": "def f():\n", "suffix": "\nf()", "stream": false,
                    "options": ["num_predict": 2],
                ])
            #expect(gap.status == 200 && gap.json["done"] == true)
            let chat = try await server.post(
                "/api/chat",
                [
                    "model": "x", "messages": [["role": "user", "content": "hi"]], "stream": false,
                    "options": ["num_predict": 3],
                ])
            #expect(chat.json["message"]?["role"] == "assistant")
            let error = try await server.post("/api/chat", ["model": "x"])
            #expect(error.status == 400 && error.json["error"]?.string?.contains("messages") == true)
        }
    }
}

#endif
