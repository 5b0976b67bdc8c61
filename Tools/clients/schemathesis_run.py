"""schemathesis against /openapi.json: requests from the description, valid ones and broken ones.

usage: schemathesis_run.py BINARY MODEL

It fails at an answer with a status of 500 or more, and at one that the description does not allow. SWIFTINFER_EXAMPLES is the
number of requests for each operation (default 30).
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

from harness import Server

BROKEN_PARSER = "AST constructor recursion depth mismatch"


def main():
    binary, model = sys.argv[1:]
    program = pathlib.Path(sys.executable).parent / "schemathesis"
    examples = os.environ.get("SWIFTINFER_EXAMPLES", "30")
    with tempfile.TemporaryDirectory() as folder, Server(binary, model, "--context", 256) as server:
        description = server.json("/openapi.json")
        # A request that forgets its number of tokens fills the context, so it is small above.
        command = [
            program, "run", server.url + "/openapi.json", "--url", server.url, "--max-examples", examples, "--workers", "2",
            "--request-timeout", "60", "--seed", "1", "--generation-database", "none", "--no-color", "--continue-on-failure",
            "--checks", "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,"
            "response_headers_conformance",
        ]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        report = done.stdout + done.stderr
        if BROKEN_PARSER in report and " failed" not in report.rsplit("Test cases:", 1)[-1]:
            # A fault of Python 3.11 stops the phase "coverage" on its way; what it has sent has passed.
            print(f"note: the phase 'coverage' was cut off by Python itself ({BROKEN_PARSER})")
            done.returncode = 0
        log = server.log_text()
        errors = re.findall(r"status=5\d\d", log)
        requests = len(re.findall(r"\] request$", log, re.M))
        # The server stands after all that, and answers.
        assert server.process.poll() is None, "the server has ended"
        server.json("/completion", {"prompt": "x", "n_predict": 1})
    if done.returncode:
        print(report[-12000:])
        print(f"schemathesis: exit status {done.returncode}; {requests} requests, {len(errors)} of them with a status of 5xx")
        sys.exit(1)
    assert not errors, errors
    print(f"ok {len(description['paths'])} paths, {requests} requests: no status of 5xx, no answer outside the description")


main()
