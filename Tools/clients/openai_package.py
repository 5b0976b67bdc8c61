"""OpenAI's Python package against the server: completions, chat, responses, models, errors.

usage: openai_package.py BINARY MODEL
"""

import sys

import openai
from harness import Server

PREFIX, SUFFIX = "def add(a, b):\n    return ", "\n\nprint(add(1, 2))\n"
CHAT = [{"role": "system", "content": "You are brief."}, {"role": "user", "content": "Name a colour."}]
TOOL = {
    "type": "function",
    "function": {
        "name": "read_file", "description": "Reads a file.",
        "parameters": {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]},
    },
}
KEY = "a-key-for-this-check"


def completions(client, model):
    whole = client.completions.create(model=model, prompt=PREFIX, max_tokens=12, temperature=0, logprobs=3)
    choice = whole.choices[0]
    assert whole.object == "text_completion" and choice.finish_reason in ("length", "stop")
    assert whole.usage.completion_tokens == len(choice.logprobs.tokens) <= 12, whole.usage
    assert all(len(top) <= 4 for top in choice.logprobs.top_logprobs)
    assert whole.usage.total_tokens == whole.usage.prompt_tokens + whole.usage.completion_tokens
    stream = client.completions.create(
        model=model, prompt=PREFIX, max_tokens=12, temperature=0, stream=True, stream_options={"include_usage": True})
    text, usage = "", None
    for chunk in stream:
        text += "".join(choice.text for choice in chunk.choices)
        usage = chunk.usage or usage
    assert text == choice.text, (text, choice.text)
    assert usage.completion_tokens == whole.usage.completion_tokens
    several = client.completions.create(model=model, prompt=[PREFIX, "let x"], n=2, max_tokens=4, temperature=1, seed=7)
    assert [choice.index for choice in several.choices] == [0, 1, 2, 3]
    stopped = client.completions.create(model=model, prompt=PREFIX, max_tokens=12, temperature=0, stop=[choice.text[:1]])
    assert stopped.choices[0].text == "" and stopped.choices[0].finish_reason == "stop"
    print("ok completions: whole, stream, usage, logprobs, n, stop")


def gaps(client, model):
    try:
        whole = client.completions.create(model=model, prompt=PREFIX, suffix=SUFFIX, max_tokens=8, temperature=0)
    except openai.BadRequestError as error:
        assert error.param == "suffix", error
        print("ok suffix: the model cannot fill gaps, and the error says so")
        return
    stream = client.completions.create(
        model=model, prompt=PREFIX, suffix=SUFFIX, max_tokens=8, temperature=0, stream=True)
    assert "".join(choice.text for chunk in stream for choice in chunk.choices) == whole.choices[0].text
    plain = client.completions.create(model=model, prompt=PREFIX, max_tokens=8, temperature=0)
    assert whole.usage.prompt_tokens > plain.usage.prompt_tokens
    print("ok suffix: whole and stream")


def chat(client, model):
    try:
        whole = client.chat.completions.create(
            model=model, messages=CHAT, max_tokens=12, temperature=0, logprobs=True, top_logprobs=2)
    except openai.BadRequestError as error:
        assert "template" in str(error), error
        print("ok chat: the model has no template, and the error says so")
        return
    choice = whole.choices[0]
    assert choice.message.role == "assistant" and whole.usage.completion_tokens <= 12
    assert len(choice.logprobs.content) == whole.usage.completion_tokens
    assert all(token.logprob <= 0 and len(token.top_logprobs) == 2 for token in choice.logprobs.content)
    stream = client.chat.completions.create(
        model=model, messages=CHAT, max_tokens=12, temperature=0, stream=True, stream_options={"include_usage": True})
    text, usage, reasons = "", None, []
    for chunk in stream:
        for part in chunk.choices:
            text += part.delta.content or ""
            reasons += [part.finish_reason] if part.finish_reason else []
        usage = chunk.usage or usage
    assert text == choice.message.content and reasons == [choice.finish_reason]
    assert usage.prompt_tokens == whole.usage.prompt_tokens
    again = client.chat.completions.create(model=model, messages=CHAT, max_tokens=12, temperature=0.8, seed=5)
    same = client.chat.completions.create(model=model, messages=CHAT, max_tokens=12, temperature=0.8, seed=5)
    assert again.choices[0].message.content == same.choices[0].message.content
    print("ok chat: whole, stream, usage, logprobs, seed")
    history = [
        {"role": "user", "content": "Show a.txt."},
        {"role": "assistant", "content": None, "tool_calls": [
            {"id": "call_1", "type": "function", "function": {"name": "read_file", "arguments": '{"path": "a.txt"}'}}]},
        {"role": "tool", "tool_call_id": "call_1", "content": "hello"},
    ]
    called = client.chat.completions.create(model=model, messages=history, tools=[TOOL], max_tokens=24, temperature=0)
    for call in called.choices[0].message.tool_calls or []:
        assert call.function.name, call
    stream = client.chat.completions.create(
        model=model, messages=history, tools=[TOOL], max_tokens=24, temperature=0, stream=True)
    text = "".join(choice.delta.content or "" for chunk in stream for choice in chunk.choices)
    assert text == (called.choices[0].message.content or "")
    with client.chat.completions.stream(model=model, messages=CHAT, max_tokens=12, temperature=0) as stream:
        text = "".join(event.delta for event in stream if event.type == "content.delta")
    assert text == choice.message.content
    print("ok tools: a history with a call and its result, whole and stream; the package's stream helper")


def responses(client, model):
    try:
        whole = client.responses.create(model=model, input="Name a colour.", max_output_tokens=12, temperature=0)
    except openai.BadRequestError as error:
        assert "template" in str(error), error
        return
    assert whole.object == "response" and whole.usage.output_tokens <= 12
    kinds = []
    with client.responses.stream(model=model, input="Name a colour.", max_output_tokens=12, temperature=0) as stream:
        for event in stream:
            kinds.append(event.type)
        final = stream.get_final_response() if "response.completed" in kinds else None
    assert kinds[0] == "response.created" and kinds[-1] in ("response.completed", "response.incomplete"), kinds
    if final:
        assert final.output_text == whole.output_text
    numbers = [
        event.sequence_number for event in client.responses.create(
            model=model, input=CHAT, instructions="Be brief.", max_output_tokens=8, temperature=0, stream=True)]
    assert numbers == list(range(len(numbers))), numbers
    print("ok responses: whole, the package's stream helper, events in order")


def errors(client, model, server):
    def expects(kind, call, field=None):
        try:
            call()
        except kind as error:
            assert field is None or error.param == field, (error.param, field)
            return error
        raise AssertionError(f"no {kind.__name__}")

    expects(openai.BadRequestError, lambda: client.completions.create(model=model, prompt="x", temperature=-1), "temperature")
    expects(openai.BadRequestError, lambda: client.completions.create(model=model, prompt=[10**7]), "prompt[0]")
    expects(openai.BadRequestError, lambda: client.chat.completions.create(model=model, messages=[]), "messages")
    expects(openai.NotFoundError, lambda: client.models.retrieve("no-such-model"), "model")
    wrong = openai.OpenAI(base_url=server.url + "/v1", api_key="not-the-key", max_retries=0)
    error = expects(openai.AuthenticationError, lambda: wrong.models.list())
    assert error.code == "invalid_api_key", error.code
    print("ok errors: 400 with the field, 404, 401")


def full_queue(client, model, server):
    """One sequence and one place in the queue: five answers at once are too many."""
    try:
        client.completions.create(model=model, prompt="let x", max_tokens=8, n=5)
        raise AssertionError("five answers at once are accepted")
    except openai.RateLimitError as error:
        assert error.code == "queue_full" and error.response.headers["retry-after"], error
    patient = openai.OpenAI(base_url=server.url + "/v1", api_key=KEY, max_retries=5)
    patient.completions.create(model=model, prompt="x", max_tokens=1)
    print("ok full queue: RateLimitError with Retry-After; a client that retries gets its answer")


def main():
    binary, model = sys.argv[1:]
    with Server(binary, model, "--slots", 2, key=KEY) as server:
        client = openai.OpenAI(base_url=server.url + "/v1", api_key=KEY, max_retries=0, timeout=300)
        names = [entry.id for entry in client.models.list()]
        assert len(names) == 1 and client.models.retrieve(names[0]).id == names[0]
        print(f"ok models: {names[0]}")
        completions(client, names[0])
        gaps(client, names[0])
        chat(client, names[0])
        responses(client, names[0])
        errors(client, names[0], server)
    with Server(binary, model, "--slots", 1, "--queue", 1, key=KEY) as server:
        client = openai.OpenAI(base_url=server.url + "/v1", api_key=KEY, max_retries=0, timeout=300)
        full_queue(client, "any", server)


main()
