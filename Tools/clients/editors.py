"""The requests that Continue, minuet, Zed, JetBrains and Xcode send, by their documentation: no editor runs here.

usage: editors.py BINARY MODEL
"""

import json
import sys

from harness import Server, events

PREFIX, SUFFIX = "def area(w, h):\n    return ", "\n\nprint(area(2, 3))\n"
CHAT = [{"role": "system", "content": "You complete code."}, {"role": "user", "content": "Explain: " + PREFIX}]


def text_of(content):
    return "".join(choice.get("text", "") for event in events(content) for choice in event["choices"])


def post(server, path, body, **headers):
    status, _, content = server.request("POST", path, body, {"Authorization": "Bearer unused", **headers})
    assert status == 200, (path, status, content[:300])
    return content


def main():
    binary, model = sys.argv[1:]
    with Server(binary, model) as server:
        name = server.json("/v1/models")["data"][0]["id"]
        # minuet, provider openai_fim_compatible: a stream of completions with a suffix.
        stream = post(server, "/v1/completions", {
            "model": "PLACEHOLDER", "prompt": PREFIX, "suffix": SUFFIX, "stream": True, "max_tokens": 16, "top_p": 0.9,
            "stop": ["\n\n"]})
        assert stream.rstrip().endswith(b"data: [DONE]") and all(event["choices"] for event in events(stream))
        # Continue, provider openai with useLegacyCompletionsEndpoint.
        post(server, "/v1/completions", {
            "model": name, "prompt": PREFIX, "suffix": SUFFIX, "stream": True, "max_tokens": 16, "temperature": 0.01,
            "stop": ["\n\n", "/src/", "```"], "presence_penalty": None, "frequency_penalty": None})
        print(f"ok minuet, Continue: completions with a suffix ({len(text_of(stream))} characters)")
        # Zed's provider for Ollama: tags, show, chat as lines.
        assert json.loads(server.request("GET", "/api/tags")[2])["models"][0]["name"] == name
        assert "capabilities" in server.json("/api/show", {"model": name})
        lines = post(server, "/api/chat", {
            "model": name, "messages": CHAT, "stream": True, "keep_alive": "5m", "think": False,
            "options": {"num_ctx": 4096, "num_predict": 16, "stop": [], "temperature": 1.0}, "tools": []})
        pieces = [json.loads(line) for line in lines.splitlines()]
        assert pieces[-1]["done"] and not any(piece["done"] for piece in pieces[:-1])
        # JetBrains AI Assistant asks Ollama for its version first; its completion of lines is generate with a suffix.
        server.json("/api/version")
        assert json.loads(post(server, "/api/generate", {
            "model": name, "prompt": PREFIX, "suffix": SUFFIX, "stream": False, "options": {"num_predict": 8}}))["done"]
        print("ok Zed, JetBrains: Ollama's tags, show, version, chat, generate with a suffix")
        # Xcode asks for the models, then streams a conversation; contents are arrays of parts.
        parts = [{"role": turn["role"], "content": [{"type": "text", "text": turn["content"]}]} for turn in CHAT]
        stream = post(server, "/v1/chat/completions", {
            "model": name, "messages": parts, "stream": True, "stream_options": {"include_usage": True}, "max_tokens": 16},
            **{"User-Agent": "Xcode/26"})
        assert events(stream)[-1]["usage"]["completion_tokens"] <= 16
        print("ok Xcode: models and a stream of a conversation in parts")


main()
