"""A language client with lsprotocol's types against `swiftinfer lsp`.

usage: language_client.py BINARY MODEL

Each message that the server sends has to be one of the types of LSP 3.18; positions are in UTF-16.
"""

import json
import queue
import subprocess
import sys
import tempfile
import threading
import time

from lsprotocol import converters, types

URI = "file:///project/greet.py"
# An emoji takes two units of UTF-16, and the lines end in CRLF.
TEXT = "# 👋🏽 greets\r\ndef greet(name):\r\n    text = '👋' + \r\n    return text\r\n"
LINE, UNITS = 2, len("    text = '👋' + ".encode("utf-16-le")) // 2


class Client:
    def __init__(self, command):
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log)
        self.converter = converters.get_converter()
        self.answers, self.number = queue.Queue(), 0
        self.early = {}
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        stream = self.process.stdout
        while True:
            length = None
            while (line := stream.readline()) not in (b"\r\n", b""):
                name, _, value = line.decode("ascii").partition(":")
                if name.lower() == "content-length":
                    length = int(value)
            if length is None:
                return
            self.answers.put(json.loads(stream.read(length)))

    def write(self, message):
        content = json.dumps(self.converter.unstructure(message)).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(content) + content)
        self.process.stdin.flush()

    def send(self, request, parameters):
        """Sends a request of the type `request`, and returns its id."""
        self.number += 1
        self.write(request(self.number, parameters) if parameters is not None else request(self.number))
        return self.number

    def answer(self, number, response, timeout=120):
        """The result of request `number`, read as a message of type `response`; or the code of its error."""
        end = time.monotonic() + timeout
        while number not in self.early:
            message = self.answers.get(timeout=max(0.1, end - time.monotonic()))
            if "id" in message:
                self.early[message["id"]] = message
            else:
                assert message["method"].startswith(("window/", "$/")), message
        message = self.early.pop(number)
        if "error" in message:
            return self.converter.structure(message, types.ResponseErrorMessage).error.code
        return self.converter.structure(message, response).result

    def call(self, request, response, parameters=None):
        return self.answer(self.send(request, parameters), response)


def position(line, units):
    return types.Position(line=line, character=units)


def completion(line, units, kind=types.InlineCompletionTriggerKind.Invoked, uri=URI):
    return types.InlineCompletionParams(
        context=types.InlineCompletionContext(trigger_kind=kind), position=position(line, units),
        text_document=types.TextDocumentIdentifier(uri=uri))


def items(result):
    return result.items if isinstance(result, types.InlineCompletionList) else result


def change(client, version, start, end, text):
    client.write(types.DidChangeTextDocumentNotification(types.DidChangeTextDocumentParams(
        text_document=types.VersionedTextDocumentIdentifier(version=version, uri=URI),
        content_changes=[types.TextDocumentContentChangePartial(range=types.Range(start=start, end=end), text=text)])))


def check(client):
    ask, given = types.InlineCompletionRequest, types.InlineCompletionResponse
    assert client.call(ask, given, completion(0, 0)) == types.ErrorCodes.ServerNotInitialized.value
    start = client.call(types.InitializeRequest, types.InitializeResponse, types.InitializeParams(
        capabilities=types.ClientCapabilities(
            general=types.GeneralClientCapabilities(position_encodings=[types.PositionEncodingKind.Utf16])),
        process_id=None, root_uri="file:///project",
        workspace_folders=[types.WorkspaceFolder(uri="file:///project", name="project")]))
    assert start.capabilities.inline_completion_provider, start.capabilities
    assert start.capabilities.position_encoding == types.PositionEncodingKind.Utf16
    client.write(types.InitializedNotification(types.InitializedParams()))
    print(f"ok initialize: {start.server_info.name} {start.server_info.version}")

    client.write(types.DidOpenTextDocumentNotification(types.DidOpenTextDocumentParams(
        types.TextDocumentItem(uri=URI, language_id="python", version=1, text=TEXT))))
    first = client.call(ask, given, completion(LINE, UNITS))
    assert all(item.insert_text for item in items(first)), first
    again = client.call(ask, given, completion(LINE, UNITS))
    assert again == first, "the same request gives another completion"
    print(f"ok inlineCompletion behind emoji and CRLF: {len(items(first))} item, the same twice")

    # What the server holds after edits is what a document with this text from the start gives.
    change(client, 2, position(LINE, UNITS), position(LINE, UNITS), "name +  ")
    change(client, 3, position(0, 2), position(0, 6), "🙂")  # two characters of two units each, by one of two units
    edited = client.call(ask, given, completion(LINE, UNITS + len("name +  ")))
    text = TEXT.replace("'👋' + ", "'👋' + name +  ").replace("👋🏽", "🙂")
    client.write(types.DidCloseTextDocumentNotification(types.DidCloseTextDocumentParams(
        types.TextDocumentIdentifier(uri=URI))))
    client.write(types.DidOpenTextDocumentNotification(types.DidOpenTextDocumentParams(
        types.TextDocumentItem(uri=URI, language_id="python", version=4, text=text))))
    whole = client.call(ask, given, completion(LINE, UNITS + len("name +  ")))
    assert edited == whole, (edited, whole)
    print("ok didChange in UTF-16 positions: the same completion as of the whole text")

    automatic = types.InlineCompletionTriggerKind.Automatic
    numbers = []
    for key in range(8):
        numbers.append(client.send(ask, completion(LINE, UNITS + len("name +  ") + key, automatic)))
        change(client, 5 + key, *[position(LINE, UNITS + len("name +  ") + key)] * 2, "x")
    numbers.append(client.send(ask, completion(LINE, UNITS + len("name +  ") + 8, automatic)))
    results = [client.answer(number, given) for number in numbers]
    cancelled = {types.LSPErrorCodes.RequestCancelled.value, types.LSPErrorCodes.ContentModified.value}
    assert not isinstance(results[-1], int), results[-1]
    count = sum(isinstance(result, int) and result in cancelled for result in results)
    assert count >= 6, results
    number = client.send(ask, completion(LINE, 4))
    client.write(types.CancelNotification(types.CancelParams(id=number)))
    assert client.answer(number, given) == types.LSPErrorCodes.RequestCancelled.value
    print(f"ok cancel: {count} of 8 requests at typing, and one by $/cancelRequest")

    assert isinstance(client.call(ask, given, completion(0, 0, uri="file:///other.py")), int)
    client.call(ask, given, completion(10_000, 10_000))
    print("ok a document that is not open is an error, a position behind the end is none")
    assert client.call(types.ShutdownRequest, types.ShutdownResponse) is None
    client.write(types.ExitNotification())
    assert client.process.wait(20) == 0, client.process.returncode
    print("ok shutdown and exit: status 0")


def main():
    binary, model = sys.argv[1:]
    command = [binary, "lsp", model, "--no-draft-cache", "--no-repository"]
    client = Client(command)
    try:
        check(client)
    finally:
        if client.process.poll() is None:
            client.process.kill()
        client.log.seek(0)
        if text := client.log.read().strip():
            print(text[-1000:])
    # Without `shutdown` the exit status is 1.
    client = Client(command)
    client.write(types.ExitNotification())
    assert client.process.wait(20) == 1, client.process.returncode
    print("ok exit without shutdown: status 1")


main()
