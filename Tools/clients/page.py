"""The page at / in headless Chromium: types, streams, stops, and checks what is shown.

usage: page.py BINARY MODEL

Pictures go to the folder SWIFTINFER_SHOTS, if it is set. The browser is driven by the DevTools protocol over a WebSocket.
"""

import base64
import http.client
import json
import os
import pathlib
import secrets
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
import urllib.parse

from harness import Server, skip

# A text that repeats itself, so that drafts are accepted whatever the model is.
REPEATS = "".join(f"    case {number}: return values[{number % 4}]\n" for number in range(24))


class Browser:
    """A tab of a headless Chromium."""

    def __init__(self, program, folder):
        options = ["--headless=new", "--remote-debugging-port=0", f"--user-data-dir={folder}", "--no-first-run", "--disable-gpu",
                   "--disable-dev-shm-usage", "--window-size=1200,800", "--hide-scrollbars"]
        if os.geteuid() == 0:
            options.append("--no-sandbox")
        self.process = subprocess.Popen(
            [program, *options, "about:blank"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, process_group=0)
        file = pathlib.Path(folder) / "DevToolsActivePort"
        end = time.monotonic() + 120
        while not (file.exists() and file.read_text().count("\n")):
            if self.process.poll() is not None or time.monotonic() > end:
                skip("Chromium does not start here")
            time.sleep(0.1)
        port = int(file.read_text().splitlines()[0])
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("PUT", "/json/new?about:blank")
        address = json.loads(connection.getresponse().read())["webSocketDebuggerUrl"]
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=120)
        self.buffer = b""
        key = base64.b64encode(secrets.token_bytes(16)).decode()
        path = urllib.parse.urlparse(address).path
        self.socket.sendall(
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
        while b"\r\n\r\n" not in self.buffer:
            self.buffer += self.socket.recv(4096)
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        assert b" 101 " in head, head
        self.number, self.troubles = 0, []
        for domain in ("Page", "Runtime", "Log"):
            self.call(domain + ".enable")

    def take(self, count):
        while len(self.buffer) < count:
            piece = self.socket.recv(1 << 16)
            assert piece, "the browser has ended"
            self.buffer += piece
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def message(self):
        text = b""
        while True:
            first, second = self.take(2)
            length = second & 127
            if length > 125:
                length = struct.unpack(">H" if length == 126 else ">Q", self.take(2 if length == 126 else 8))[0]
            text += self.take(length)
            if first & 128:
                return json.loads(text)

    def call(self, method, **parameters):
        self.number += 1
        data = json.dumps({"id": self.number, "method": method, "params": parameters}).encode()
        mask = secrets.token_bytes(4)
        size = bytes([128 | len(data)]) if len(data) < 126 else (
            bytes([128 | 126]) + struct.pack(">H", len(data)) if len(data) < 65536 else bytes([255]) + struct.pack(">Q", len(data)))
        self.socket.sendall(
            b"\x81" + size + mask + bytes(byte ^ mask[index % 4] for index, byte in enumerate(data)))
        while True:
            message = self.message()
            if message.get("id") == self.number:
                assert "error" not in message, (method, message["error"])
                return message["result"]
            kind, about = message.get("method"), message.get("params", {})
            if kind == "Runtime.exceptionThrown":
                details = about["exceptionDetails"]
                self.troubles.append(details.get("exception", {}).get("description", details["text"]))
            elif kind == "Log.entryAdded" and about["entry"]["level"] == "error":
                self.troubles.append(about["entry"]["text"])

    def value(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in result, (expression, result["exceptionDetails"])
        return result["result"].get("value")

    def wait(self, expression, seconds, what):
        end = time.monotonic() + seconds
        while not self.value(expression):
            assert time.monotonic() < end, f"{what}: not within {seconds} s"
            time.sleep(0.05)

    def key(self, name, code, **more):
        for kind in ("keyDown", "keyUp"):
            text = {"text": "\r"} if name == "Enter" and kind == "keyDown" else {}
            self.call("Input.dispatchKeyEvent", type=kind, key=name, code=name, windowsVirtualKeyCode=code, **text, **more)

    def picture(self, name):
        folder = os.environ.get("SWIFTINFER_SHOTS")
        if folder:
            pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
            data = self.call("Page.captureScreenshot", format="png")["data"]
            (pathlib.Path(folder) / f"{name}.png").write_bytes(base64.b64decode(data))

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def ask(page, text):
    page.value("document.querySelector('#question').focus()")
    page.call("Input.insertText", text=text)
    page.key("Enter", 13)


def check(page, server):
    page.call("Page.navigate", url=server.url + "/")
    page.wait("document.querySelector('#model')?.textContent !== 'connecting…'", 60, "the page connects")
    external = page.value(
        "performance.getEntriesByType('resource').map(x => x.name).filter(x => !x.startsWith(location.origin) && !x.startsWith('data:'))")
    assert external == [], external
    page.picture("1-empty")
    print(f"ok the page connects: {page.value('''document.querySelector('#model').textContent''')}, nothing from elsewhere")

    page.value("tokens.value = 60, tokens.dispatchEvent(new Event('change'))")
    ask(page, "Write a Python function that adds two numbers, and one that subtracts them.")
    answer = "(document.querySelector('.answer')?.textContent ?? '')"
    page.wait(answer + ".length > 0", 120, "the first text")
    lengths = set()
    while page.value("document.querySelector('#send').textContent") == "Stop":
        lengths.add(page.value(answer + ".length"))
    note = page.value("document.querySelector('.turn .note').textContent")
    assert len(lengths) > 1 or "60 tokens" in note, (lengths, note)
    assert "tokens" in note and not page.value("document.querySelector('.note.error')"), note
    page.picture("2-answer")
    print(f"ok typed and streamed: {len(lengths)} lengths seen; {note}")

    page.value("tokens.value = 100000")
    for question in ("Count from one to a thousand.", "Tell a long story in ten chapters.", "List all countries."):
        count = page.value("document.querySelectorAll('.answer').length")
        ask(page, question)
        # In the browser, so that a quick answer does not end before it is stopped.
        stopped = page.value("""new Promise(done => { const timer = setInterval(() => {
            const answers = document.querySelectorAll('.answer')
            if (answers.length > %d && answers[%d].textContent.length > 0) {
                clearInterval(timer); const runs = send.textContent === 'Stop'; if (runs) send.click(); done(runs) } }, 5) })""" % (count, count))
        page.wait("send.textContent === 'Send'", 10, "stopped")
        last = page.value("[...document.querySelectorAll('.turn .note')].at(-1).textContent")
        if stopped and last == "stopped":
            break
    page.picture("3-stopped")
    idle = server.idle(10)
    assert last == "stopped", last
    assert idle is not None, "the server goes on after the page has stopped"
    print(f"ok stopped: the note says '{last}', the server is idle after {idle:.2f} s")

    page.value("document.querySelector('#tab-complete').click(), tokens.value = 160")
    page.value(f"editor.textContent = {json.dumps('switch value {' + chr(10) + REPEATS)}")
    page.value("getSelection().selectAllChildren(editor), getSelection().collapseToEnd()")
    page.key("Enter", 13, modifiers=2)
    page.wait("document.querySelector('#continue').textContent === 'Stop' || /tokens/.test(document.querySelector('#complete-note').textContent)",
              30, "the completion begins")
    page.wait("document.querySelector('#continue').textContent !== 'Stop'", 180, "the completion ends")
    tinted = page.value("[...editor.querySelectorAll('.d')].map(x => x.textContent).join('').length")
    made = page.value("[...editor.querySelectorAll('span span')].map(x => x.textContent).join('').length")
    note = page.value("document.querySelector('#complete-note').textContent")
    accepted = server.metrics()["spec_decode_num_accepted_tokens_total"]
    colour = page.value("(x => x && getComputedStyle(x).backgroundColor)(editor.querySelector('.d'))")
    page.value("editor.scrollTop = editor.scrollHeight")
    page.picture("4-completion")
    assert tinted and colour not in ("rgba(0, 0, 0, 0)", "transparent"), f"nothing is tinted ({accepted:.0f} tokens accepted): {note}"
    print(f"ok completion: {tinted} of {made} characters tinted {colour}; {note}")

    page.wait("document.querySelector('#v-speed').textContent !== '–'", 20, "figures")
    drawn = page.value("""Object.fromEntries([...document.querySelectorAll('canvas')].map(c =>
        [c.id, c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some((x, i) => i % 4 == 3 && x > 0)]))""")
    assert len(drawn) == 4 and all(drawn.values()), drawn
    labels = page.value("[...document.querySelectorAll('figcaption')].map(x => x.textContent.trim().replace(/\\s+/g, ' '))")
    print(f"ok plots: {', '.join(labels)}")

    page.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}])
    time.sleep(1.5)
    page.picture("5-dark")
    page.value("document.querySelector('#tab-chat').click()")
    page.picture("6-dark-chat")
    page.call("Emulation.setDeviceMetricsOverride", width=390, height=780, deviceScaleFactor=2, mobile=True)
    time.sleep(1.5)
    page.picture("7-narrow")
    # A browser for telephones zooms out until all fits, so its own width does not show this.
    wide = page.value("document.documentElement.scrollWidth")
    assert wide <= 390, f"a window 390 wide has contents {wide} wide"
    unnamed = page.value("""[...document.querySelectorAll('button, input, select, textarea, [role=textbox]')].filter(x =>
        !(x.textContent.trim() || x.ariaLabel || x.labels?.length || x.title)).length""")
    assert not unnamed, f"{unnamed} controls have no name"
    assert not page.troubles, page.troubles
    print("ok dark and narrow: no scrolling sideways, every control has a name, no error in the console")


def main():
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if not program:
        skip("there is no Chromium here (Debian: apt-get install chromium)")
    binary, model = sys.argv[1:]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, Server(
            binary, model, "--drafter", "prompt-lookup", "--context", 2048) as server:
        page = Browser(program, folder)
        try:
            check(page, server)
        except BaseException:
            page.picture("failed")
            raise
        finally:
            page.close()


main()
