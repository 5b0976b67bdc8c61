"""Starts servers for the checks of serving, and talks to them without any package."""

import contextlib
import http.client
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
FIXTURES = ROOT / "Models" / "Fixtures"
MODELS = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "swiftinfer" / "models"
# A model that can fill gaps, answers at once, and writes nonsense.
TINY = FIXTURES / "tiny-qwen2-f32.gguf"
# The exit status of a check that cannot run here, as in sysexits.h.
SKIPPED = 75


# A check that is stopped stops its servers.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def skip(reason):
    """Ends a client's script: what it needs is missing here."""
    print(reason, flush=True)
    sys.exit(SKIPPED)


def fetched(name, otherwise=TINY):
    """The file of a fetched model whose name begins with `name`, or else `otherwise`."""
    return next(iter(sorted(MODELS.glob(name + "*.gguf"))), otherwise)


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class Server:
    """`swiftinfer serve` on a free port of 127.0.0.1, ready when the `with` block begins."""

    def __init__(self, binary, model, *options, port=None, key=None, wait=300):
        self.port = port or free_port()
        self.key, self.wait = key, wait
        self.url = f"http://127.0.0.1:{self.port}"
        keys = ["--api-key", key] if key else []
        # What an earlier run has learned must not show.
        self.command = [
            str(binary), "serve", str(model), "--port", str(self.port), "--no-draft-cache", "--no-repository", *keys,
            *map(str, options),
        ]

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(40)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()

    def start(self):
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, process_group=0)
        end = time.monotonic() + self.wait
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise SystemExit(f"the server ended with status {self.process.returncode}:\n{self.log_text()[-2000:]}")
            with contextlib.suppress(OSError, http.client.HTTPException):
                if self.request("GET", "/health", timeout=2)[0] == 200:
                    return
            time.sleep(0.1)
        self.process.kill()
        raise SystemExit(f"the server was not ready after {self.wait} s")

    def log_text(self):
        self.log.seek(0)
        return self.log.read()

    def request(self, method, path, body=None, headers={}, timeout=300):
        """Status, headers and content of the answer to one request. `body`: bytes, or what becomes JSON."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            headers = dict(headers)
            if self.key and "Authorization" not in headers:
                headers["Authorization"] = "Bearer " + self.key
            if body is not None and not isinstance(body, bytes):
                body = json.dumps(body).encode()
            if body is not None:
                headers.setdefault("Content-Type", "application/json")
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            return response.status, dict(response.getheaders()), response.read()
        finally:
            connection.close()

    def json(self, path, body=None, status=200, **options):
        """The JSON of an answer, which has to have `status`."""
        found, _, content = self.request("GET" if body is None else "POST", path, body, **options)
        assert found == status, f"{path}: status {found} instead of {status}: {content[:300]!r}"
        return json.loads(content)

    def raw(self, path, body, host=None, headers=""):
        """The bytes of a POST request, for a socket."""
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        if self.key:
            headers += f"Authorization: Bearer {self.key}\r\n"
        return (
            f"POST {path} HTTP/1.1\r\nHost: {host or '127.0.0.1'}\r\nContent-Type: application/json\r\n{headers}"
            f"Content-Length: {len(body)}\r\n\r\n"
        ).encode() + body

    def connect(self, timeout=60):
        return socket.create_connection(("127.0.0.1", self.port), timeout=timeout)

    def metrics(self):
        """The figures of /metrics without labels, by name without prefix."""
        text = self.request("GET", "/metrics")[2].decode()
        return {name: float(value) for name, value in re.findall(r"^swiftinfer:(\w+) (\S+)$", text, re.M)}

    def usage(self):
        """What the process holds: memory in KiB, descriptors, threads."""
        folder = pathlib.Path(f"/proc/{self.process.pid}")
        status = dict(re.findall(r"^(\w+):\s+(\d+)", (folder / "status").read_text(), re.M))
        return {
            "rss": int(status["VmRSS"]), "descriptors": len(list((folder / "fd").iterdir())),
            "threads": int(status["Threads"]),
        }

    def idle(self, timeout=60):
        """Waits until no sequence runs and no request waits. Returns the seconds it took, or None."""
        start = time.monotonic()
        while time.monotonic() - start < timeout:
            with contextlib.suppress(OSError, http.client.HTTPException, ValueError):
                figures = self.metrics()
                if not figures["requests_processing"] and not figures["requests_deferred"]:
                    return time.monotonic() - start
            time.sleep(0.05)
        return None

    def signal(self, number=signal.SIGTERM):
        self.process.send_signal(number)


def events(content):
    """The objects of a stream of server-sent events."""
    text = content.decode()
    return [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: ") and line != "data: [DONE]"]


def quantile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(share * len(values)))] if values else float("nan")
