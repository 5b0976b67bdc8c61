"""The requests of llama.vscode against the server, as its source writes them (src/llama-server.ts, November 2026).

usage: llama_vscode.py BINARY MODEL
"""

import sys

from harness import Server

DEFAULTS = {"top_k": 40, "top_p": 0.99, "stream": False, "samplers": ["top_k", "top_p", "infill"], "cache_prompt": True}
CHUNKS = [{"text": "func area(w: Int, h: Int) -> Int { w * h }\n", "time": 1764400000000, "filename": "Sources/Area.swift"}]
PREFIX, LINE, SUFFIX = "import Foundation\n\nfunc volume(w: Int, h: Int, d: Int) -> Int {\n", "    return ", "\n}\n"


def fill(prefix, line, suffix, indent):
    return {
        "input_prefix": prefix, "input_suffix": suffix, "input_extra": CHUNKS, "prompt": line, "n_predict": 24, **DEFAULTS,
        **({"n_indent": indent} if indent else {}), "t_max_prompt_ms": 500, "t_max_predict_ms": 2500,
    }


def warm():
    return {
        "input_prefix": "", "input_suffix": "", "input_extra": CHUNKS, "prompt": "", "n_predict": 0, "samplers": [],
        "cache_prompt": True, "t_max_prompt_ms": 500, "t_max_predict_ms": 1,
    }


def edit():
    """"Edit with AI": the samplers are letters there."""
    return {
        "messages": [
            {"role": "system", "content": "You are an expert coder."},
            {"role": "user", "content": "Modify the code. Instructions: rename w to width. Code: " + PREFIX},
        ],
        "stream": False, "cache_prompt": True, "samplers": "edkypmxt", "temperature": 0.8, "dynatemp_range": 0,
        "dynatemp_exponent": 1, "top_k": 40, "top_p": 0.95, "min_p": 0.05, "typical_p": 1, "xtc_probability": 0,
        "xtc_threshold": 0.1, "repeat_last_n": 64, "repeat_penalty": 1, "presence_penalty": 0, "frequency_penalty": 0,
        "dry_multiplier": 0, "dry_base": 1.75, "dry_allowed_length": 2, "dry_penalty_last_n": -1, "max_tokens": -1,
        "timings_per_token": False,
    }


def tools():
    function = {
        "name": "read_file", "description": "Reads a file", "strict": True,
        "parameters": {"type": "object", "properties": {"file_path": {"type": "string"}}, "required": ["file_path"]},
    }
    return {
        "messages": [{"role": "system", "content": "You are an agent."}, {"role": "user", "content": "Show a.txt"}],
        "stream": False, "temperature": 0.8, "top_p": 0.95, "tools": [{"type": "function", "function": function}],
        "tool_choice": "auto",
    }


def main():
    binary, model = sys.argv[1:]
    with Server(binary, model, "--context", 1024) as server:
        server.json("/health")
        assert server.json("/v1/models")["data"]
        server.json("/infill", warm())
        print("ok warm-up with n_predict 0")
        for indent in (0, 4):
            answer = server.json("/infill", fill(PREFIX, LINE, SUFFIX, indent))
            assert isinstance(answer["content"], str) and answer["timings"]["predicted_n"] <= 24, answer
            for name in ("prompt_n", "prompt_ms", "prompt_per_second", "predicted_ms", "predicted_per_second"):
                assert isinstance(answer["timings"][name], (int, float)), name
            assert answer["truncated"] is False and isinstance(answer["tokens_cached"], int)
        # The shared beginning is kept: the next request evaluates only the rest.
        more = server.json("/infill", fill(PREFIX, LINE + "w * ", SUFFIX, 4))
        assert more["timings"]["cache_n"] > more["timings"]["prompt_n"], more["timings"]
        print(f"ok /infill: the next key evaluates {more['timings']['prompt_n']} of "
              f"{more['timings']['prompt_n'] + more['timings']['cache_n']} tokens")
        for name, body in (("edit", edit()), ("tools", tools())):
            answer = server.json("/v1/chat/completions", body)
            assert answer["choices"][0]["message"]["role"] == "assistant", name
        print("ok edit and tools: /v1/chat/completions")


main()
