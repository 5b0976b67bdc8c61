"""aider edits a file through the server, without a user.

usage: aider_agent.py BINARY MODEL

A small model writes nonsense, so only the talk is checked: aider ends, its requests are answered, and it reports no error of the API.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

from harness import Server


def main():
    binary, model = sys.argv[1:]
    aider = pathlib.Path(sys.executable).parent / "aider"
    with tempfile.TemporaryDirectory() as temporary, Server(binary, model, "--context", 4096, key="a-key-for-aider") as server:
        folder = pathlib.Path(temporary)
        (folder / "add.py").write_text("def add(a, b):\n    return a - b\n")
        name = server.json("/v1/models")["data"][0]["id"]
        environment = os.environ | {
            "OPENAI_API_KEY": "a-key-for-aider", "OPENAI_API_BASE": server.url + "/v1", "HOME": temporary,
            "AIDER_ANALYTICS_DISABLE": "true", "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        }
        done = subprocess.run(
            [aider, "--model", f"openai/{name}", "--openai-api-base", server.url + "/v1", "--message",
             "add must add, not subtract.", "--yes-always", "--no-git", "--no-check-update", "--no-show-model-warnings",
             "--no-analytics", "--no-pretty", "--no-detect-urls", "--no-suggest-shell-commands", "--edit-format", "whole",
             "--map-tokens", "0", "--timeout", "200", "add.py"],
            cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600)
        output = done.stdout + done.stderr
        requests = re.findall(r"path=/v1/chat/completions status=(\d+)", server.log_text())
        if done.returncode or not requests or set(requests) != {"200"} or re.search(r"litellm\.\w*Error|APIError", output):
            print(output[-3000:])
            print(f"aider: exit status {done.returncode}, answers {requests}")
            sys.exit(1)
        edited = (folder / "add.py").read_text() != "def add(a, b):\n    return a - b\n"
        print(f"ok aider: {len(requests)} request(s) answered with 200; the file has {'' if edited else 'not '}changed")


main()
