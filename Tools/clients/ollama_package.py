"""Ollama's Python package against the server: generate, chat, list, show.

usage: ollama_package.py BINARY MODEL
"""

import sys

import ollama
from harness import Server

CHAT = [{"role": "user", "content": "Name a colour."}]
OPTIONS = {"temperature": 0, "num_predict": 12}


def read_file(path: str) -> str:
    """Reads a file.

    Args:
        path: The path.
    """
    return path


def generate(client, model):
    whole = client.generate(model=model, prompt="def add(a, b):", raw=True, options=OPTIONS)
    assert whole.done and whole.eval_count <= 12 and whole.prompt_eval_count > 0 and whole.total_duration > 0
    pieces = list(client.generate(model=model, prompt="def add(a, b):", raw=True, options=OPTIONS, stream=True))
    assert "".join(piece.response for piece in pieces) == whole.response
    assert [piece.done for piece in pieces].count(True) == 1 and pieces[-1].done
    print("ok generate: whole, stream, counts")
    try:
        filled = client.generate(model=model, prompt="def add(a, b):\n    return ", suffix="\n\nadd(1, 2)\n", options=OPTIONS)
        print(f"ok generate with suffix: {filled.eval_count} tokens")
    except ollama.ResponseError as error:
        assert error.status_code == 400, error
        print("ok generate with suffix: the model cannot fill gaps, and the error says so")


def chat(client, model):
    try:
        whole = client.chat(model=model, messages=CHAT, options=OPTIONS)
    except ollama.ResponseError as error:
        assert error.status_code == 400 and "template" in error.error, error
        print("ok chat: the model has no template, and the error says so")
        return
    assert whole.message.role == "assistant" and whole.done_reason in ("stop", "length")
    pieces = list(client.chat(model=model, messages=CHAT, options=OPTIONS, stream=True))
    assert "".join(piece.message.content or "" for piece in pieces) == whole.message.content
    called = client.chat(model=model, messages=CHAT, tools=[read_file], options=OPTIONS)
    for call in called.message.tool_calls or []:
        assert call.function.name
    print("ok chat: whole, stream, tools")


def main():
    binary, model = sys.argv[1:]
    with Server(binary, model) as server:
        client = ollama.Client(host=server.url)
        names = [entry.model for entry in client.list().models]
        assert len(names) == 1, names
        details = client.show(names[0])
        assert details.details.format == "gguf" and "completion" in details.capabilities, details
        assert any(key.endswith(".context_length") for key in details.modelinfo), details.modelinfo
        assert [entry.model for entry in client.ps().models] == names
        print(f"ok list, show, ps: {names[0]}, {', '.join(details.capabilities)}")
        generate(client, names[0])
        chat(client, names[0])
        try:
            client.generate(model=names[0], prompt="x", options={"temperature": -1})
            raise AssertionError("a negative temperature is accepted")
        except ollama.ResponseError as error:
            assert error.status_code == 400 and "temperature" in error.error, error
        print("ok errors: ResponseError with the message")


main()
