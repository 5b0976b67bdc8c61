#!/usr/bin/env python3
"""Checks and times swiftinfer's Vulkan backend: parity with the processor, exactness between widths, speed.

usage: run.py [--shapes NAME,...] [--type TYPE] [--output FOLDER] [--quick]

Writes FOLDER/gpu-bench.json and FOLDER/gpu-bench.md (default: here). Exit status 1 where a check fails; 75 without a device.
--quick leaves out the large shapes. Part of the archive that Tools/gpu-bench packs.
"""

import argparse
import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
BINARY = HERE / "swiftinfer"
# As for the processor: the largest mean weighted |Δ log p|.
TOLERANCES = {"f32": 0.002, "f16": 0.002, "": 0.02}
WIDTHS = "1,2,4,8,16,32,64"


def environment():
    """The loader of the archive is found where the system has none."""
    result = dict(os.environ)
    if (HERE / "loader").exists():
        result["LD_LIBRARY_PATH"] = ":".join(filter(None, [result.get("LD_LIBRARY_PATH"), str(HERE / "loader")]))
    return result


def swiftinfer(*arguments, seconds=600):
    start = time.time()
    done = subprocess.run(
        [BINARY, *map(str, arguments)], capture_output=True, text=True, env=environment(), timeout=seconds)
    if done.returncode:
        raise RuntimeError(f"swiftinfer {' '.join(map(str, arguments[:2]))}: {done.stderr.strip()[-400:]}")
    if "running on the processor" in done.stderr:
        raise RuntimeError(done.stderr.strip())
    return json.loads(done.stdout), time.time() - start


def log_probabilities(model, tokens, backend):
    rows, _ = swiftinfer("logprobs", model, "--tokens", ",".join(map(str, tokens)), "--top", 20, "--kv-type", "f32",
                         "--backend", backend, "--json")
    return [dict(row["top"]) for row in rows["rows"]]


def parity(fixture):
    """Mean weighted |Δ log p| between the backends over the ten best tokens."""
    case = json.loads(fixture.read_text())
    tokens = case["cases"][0]["prompt_tokens"] + [step["token"] for step in case["cases"][0]["steps"]]
    model = fixture.parent / case["model"]
    differences = []
    for wanted, found in zip(*(log_probabilities(model, tokens, backend) for backend in ("cpu", "vulkan"))):
        for token, value in sorted(wanted.items(), key=lambda pair: -pair[1])[:10]:
            differences.append(abs(value - found.get(token, value - 9)) * math.exp(value))
    mean = sum(differences) / len(differences)
    limit = next(limit for kind, limit in TOLERANCES.items() if kind in fixture.stem)
    return {"model": fixture.stem, "mean": mean, "holds": mean <= limit}


def exactness(model, *options):
    result, seconds = swiftinfer("verify-exactness", model, "--backend", "vulkan", *options, "--json")
    return {"model": pathlib.Path(model).stem, "rows": result["rows"], "mismatches": result["mismatches"],
            "seconds": round(seconds, 1), "holds": result["mismatches"] == 0 and result["rows"] > 0}


def speed(model, backend, *options):
    result, _ = swiftinfer("bench", "model", model, "--backend", backend, *options, "--json")
    return {"backend": backend, "rows": {row["test"]: row["tokens_per_second"] for row in result["rows"]},
            "step_cost": result["step_cost"]}


def replay(model, suite):
    vocabulary = HERE / "vocabulary.gguf"
    options = ["--vocabulary", vocabulary] if vocabulary.exists() else []
    result, _ = swiftinfer("bench", "drafting", model, "--suite", suite, "--replay", "--drafters", "none,codeswift",
                           "--limit", 6, "--backend", "vulkan", *options, "--json")
    return {"suite": suite.stem, "rows": result["rows"]}


def peer(model):
    program = HERE / "llama-bench"
    if not program.exists():
        return None
    done = subprocess.run([program, "-m", model, "-ngl", "99", "-p", "4,8,16,32,64,512", "-n", "64", "-o", "json"],
                          capture_output=True, text=True, env=environment())
    if done.returncode:
        return {"error": done.stderr.strip()[-400:]}
    return {f"prompt-{row['n_prompt']}" if row["n_prompt"] else f"generate-{row['n_gen']}": row["avg_ts"]
            for row in json.loads(done.stdout)}


def attempt(results, name, function, *arguments):
    """Keeps what `function` finds, or why it could not."""
    try:
        found = function(*arguments)
    except (RuntimeError, subprocess.TimeoutExpired, ValueError) as error:
        found = {"model": str(arguments[0]), "error": str(error), "holds": False}
    results[name].append(found)
    print(name, json.dumps(found), flush=True)


def table(results):
    lines = ["# " + "; ".join(results["devices"]), "",
             f"parity: {sum(r['holds'] for r in results['parity'])} of {len(results['parity'])} models, largest mean "
             f"{max((r.get('mean', math.inf) for r in results['parity']), default=0):.1e}",
             f"exactness: {sum(r.get('rows', 0) for r in results['exactness'])} rows, "
             f"{sum(r.get('mismatches', 0) for r in results['exactness'])} mismatches", ""]
    for shape in results["speed"]:
        if "error" in shape:
            lines.append(f"{shape['model']}: {shape['error']}")
            continue
        runs = [shape["vulkan"], shape["cpu"]]
        lines += [f"## {shape['model']} ({shape['bytes'] / 1e9:.2f} GB), tokens per second", "",
                  "| test | vulkan | cpu | peer |", "|---|---|---|---|"]
        for test, value in runs[0]["rows"].items():
            other = (shape["peer"] or {}).get(test, (shape["peer"] or {}).get(test.replace("width", "prompt")))
            figures = [f"{figure:.1f}" if figure else "" for figure in (value, runs[1]["rows"].get(test), other)]
            lines.append("| " + " | ".join([test] + figures) + " |")
        lines += ["", "C(n), vulkan: " + ", ".join(f"{n:.0f}: {cost:.2f}" for n, cost in runs[0]["step_cost"]),
                  f"weights read while generating: {runs[0]['rows']['generate-64'] * shape['bytes'] / 1e9:.0f} GB/s", ""]
    for run in results["replay"]:
        for row in run.get("rows", []):
            lines.append(f"replay {run['suite']} {row['drafter']}: {row['speedup']:.2f}")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--shapes", default="dsc-1.3b,llama-7b")
    parser.add_argument("--type", default="q4_k")
    parser.add_argument("--output", type=pathlib.Path, default=pathlib.Path.cwd())
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    doctor, _ = swiftinfer("doctor", "--json")
    print("\n".join(doctor["vulkan"]), flush=True)
    if doctor["vulkan"][0].startswith("no"):
        sys.exit(75)
    results = {"devices": doctor["vulkan"], "processor": doctor["machine"]["processor"], "parity": [],
               "exactness": [], "speed": [], "replay": []}
    for fixture in sorted((HERE / "fixtures").glob("*.json")):
        attempt(results, "parity", parity, fixture)
    for name in ("tiny-llama-f32", "tiny-llama-q4_k", "tiny-gpt-oss-mxfp4"):
        limits = ["--limit", 2, "-n", 16] if options.quick else []
        attempt(results, "exactness", exactness, HERE / "fixtures" / (name + ".gguf"), *limits)
    with tempfile.TemporaryDirectory() as folder:
        for shape in [] if options.quick else options.shapes.split(","):
            model = pathlib.Path(folder) / f"{shape}-{options.type}.gguf"
            subprocess.run([BINARY, "make-model", shape, "-o", model, "--type", options.type], check=True)
            attempt(results, "exactness", exactness, model, "--limit", 1, "-n", 16)

            def both(model):
                tests = ["--prompt", "512", "--generate", "64", "--widths", WIDTHS]
                return {"model": model.stem, "bytes": model.stat().st_size, "vulkan": speed(model, "vulkan", *tests),
                        "cpu": speed(model, "cpu", "--prompt", "", "--generate", "16", "--widths", "1,8,64",
                                     "--repetitions", 1), "peer": peer(model)}

            attempt(results, "speed", both, model)
            for suite in sorted((HERE / "suites").glob("*.jsonl")):
                attempt(results, "replay", lambda suite: replay(model, suite), suite)
            model.unlink()
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "gpu-bench.json").write_text(json.dumps(results, indent=1))
    (options.output / "gpu-bench.md").write_text(table(results))
    print(table(results))
    sys.exit(0 if all(r["holds"] for r in results["parity"] + results["exactness"]) else 1)


if __name__ == "__main__":
    main()
