"""Both engines behind one face: tokens per second of prompts and generation, by the benchmark each brings along."""

import json
import statistics
import subprocess
import time

from peer import run

PROMPTS, LONG_PROMPT, GENERATED = [4, 8, 16, 32], 512, 128
# Beside a busy neighbour an engine may be slow beyond all patience.
SHORT_GENERATED = 32
TESTS = [f"prompt-{n}" for n in [*PROMPTS, LONG_PROMPT]] + [f"generate-{GENERATED}"]
WIDTHS = [1, 2, 4, 8, 16, 32, 64]
# A short prompt is over in milliseconds; swiftinfer repeats it for 60 ms, llama-bench this often.
SHORT_REPETITIONS = 5
FIRST_PROMPT = 16
TEXT = "def quicksort(items):\n    if len(items) < 2:\n        return items\n    pivot = items[0]\n    rest = items[1:]\n"


class Ours:
    def __init__(self, binary, threads, kernels=None):
        self.binary = binary
        self.engine = ["--threads", threads, "--backend", "cpu", *(["--kernels", kernels] if kernels else [])]

    def bench(self, model, prompts, generated, widths):
        lists = {"--prompt": prompts, "--generate": generated, "--widths": widths}
        options = [word for option, counts in lists.items() for word in (option, ",".join(map(str, counts)))]
        command = [self.binary, "bench", "model", model, *options, "--repetitions", 1]
        rows = json.loads(run([*command, *self.engine, "--json"], f"swiftinfer bench model {model} failed"))["rows"]
        return {row["test"]: row["tokens_per_second"] for row in rows}

    def rates(self, model):
        return self.bench(model, [*PROMPTS, LONG_PROMPT], [GENERATED], [])

    def generation(self, model):
        """Tokens per second of a short generation."""
        return self.bench(model, [], [SHORT_GENERATED], [])[f"generate-{SHORT_GENERATED}"]

    def step_times(self, model):
        """Seconds of a step by its width."""
        rates = self.bench(model, [], [], WIDTHS)
        return {n: n / rates[f"width-{n}"] for n in WIDTHS}

    def first_prompt(self, model):
        """A text of as many tokens as the start is timed with, the model's own leading tokens included."""
        tokens = json.loads(run([self.binary, "tokenize", model, TEXT, "--json"], "swiftinfer tokenize failed"))["tokens"]
        plain = json.loads(run([self.binary, "tokenize", model, TEXT, "--no-bos", "--json"], "swiftinfer tokenize failed"))
        count = FIRST_PROMPT - (len(tokens) - len(plain["tokens"]))
        kept = ",".join(map(str, plain["tokens"][:count]))
        return run([self.binary, "detokenize", model, "--tokens", kept], "swiftinfer detokenize failed")

    def first_token_seconds(self, model, prompt):
        """From the start of the process to the first byte of its answer."""
        options = ["-n", 1, "--temperature", 0, "--ignore-eos", *self.engine]
        command = [str(word) for word in [self.binary, "run", model, prompt, *options]]
        start = time.perf_counter()
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
            process.stdout.read(1)
            return time.perf_counter() - start


class Theirs:
    def __init__(self, programs, threads):
        self.program, self.threads = programs / "llama-bench", threads
        done = subprocess.run([self.program, "--version"], capture_output=True, text=True)
        self.version = (done.stdout + done.stderr).strip().splitlines()[0].removeprefix("version: ")

    def bench(self, model, prompts, generated, repetitions):
        lists = ["-p", ",".join(map(str, prompts)), "-n", ",".join(map(str, generated))]
        command = [self.program, "-m", model, *lists, "-r", repetitions, "-t", self.threads, "-o", "json"]
        rows = json.loads(run(command, f"llama-bench {model} failed"))
        kinds = (("prompt", "n_prompt"), ("generate", "n_gen"))
        return {
            f"{kind}-{row[key]}": statistics.median(row["samples_ts"]) for row in rows for kind, key in kinds if row[key]
        }

    def rates(self, model):
        return self.bench(model, PROMPTS, [0], SHORT_REPETITIONS) | self.bench(model, [LONG_PROMPT], [GENERATED], 1)

    def generation(self, model):
        return self.bench(model, [0], [SHORT_GENERATED], 1)[f"generate-{SHORT_GENERATED}"]
