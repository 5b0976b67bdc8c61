#!/usr/bin/env python3
"""Checks and times swiftinfer's Vulkan backend: parity with the processor, exactness between widths, speed.

usage: run.py [--shapes NAME,...] [--type TYPE] [--output FOLDER] [--llama-bench PATH] [--quick]

Writes FOLDER/gpu-bench.json and FOLDER/gpu-bench.md (default: here). Exit status 1 where a check fails; 75 without a device.
--llama-bench names llama.cpp's benchmark, built with Vulkan, to be timed beside it; one that was packed is found.
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


def environment(*folders):
    """Libraries are looked for in `folders` first; the loader of the archive is found where the system has none."""
    result = dict(os.environ)
    fallback = [HERE / "loader"] if (HERE / "loader").exists() else []
    paths = [*map(str, folders), result.get("LD_LIBRARY_PATH"), *map(str, fallback)]
    result["LD_LIBRARY_PATH"] = ":".join(filter(None, paths))
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
            "step_cost": result["step_cost"], "copy_rate": result.get("copy_gb_per_second"),
            "dispatches": result.get("dispatches"), "barriers": result.get("barriers")}


def replay(model, shape, suite):
    """Drafting along a suite's reference answers, in the vocabulary that was packed for the shape."""
    options = ["--vocabulary", HERE / "vocabularies" / f"{shape}.gguf"]
    for store in sorted((HERE / "datastores").glob(f"{shape}-*")):
        options += ["--datastore", store]
    result, _ = swiftinfer("bench", "drafting", model, "--suite", suite, "--replay", "--drafters", "none,codeswift",
                           "--limit", 6, "-n", 128, "--backend", "vulkan", *options, "--json", seconds=1800)
    return {"model": model.stem, "suite": suite.stem, "rows": result["rows"]}


def peer(program, model):
    """The rates of llama.cpp's benchmark, by our names; nothing where there is no such program."""
    if program is None:
        return {}
    done = subprocess.run([program, "-m", model, "-ngl", "99", "-p", "4,8,16,32,64,512", "-n", "64", "-o", "json"],
                          capture_output=True, text=True, env=environment(program.parent), timeout=1800)
    if done.returncode:
        return {"error": done.stderr.strip()[-400:]}
    rates = {"devices": "", "build": ""}
    for row in json.loads(done.stdout):
        test = f"prompt-{row['n_prompt']}" if row["n_prompt"] else f"generate-{row['n_gen']}"
        rates |= {test: row["avg_ts"], "devices": row.get("gpu_info", ""), "build": str(row.get("build_number", ""))}
    return rates


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
        runs, other_engine = [shape["vulkan"], shape["cpu"]], shape["peer"]
        lines += [f"## {shape['model']} ({shape['bytes'] / 1e9:.2f} GB), tokens per second", "",
                  "| test | vulkan | cpu | llama.cpp |", "|---|---|---|---|"]
        for test, value in runs[0]["rows"].items():
            other = other_engine.get(test, other_engine.get(test.replace("width", "prompt")))
            figures = [f"{figure:.1f}" if figure else "" for figure in (value, runs[1]["rows"].get(test), other)]
            lines.append("| " + " | ".join([test] + figures) + " |")
        lines += ["", "C(n), vulkan: " + ", ".join(f"{n:.0f}: {cost:.2f}" for n, cost in runs[0]["step_cost"]),
                  f"a step of one token: {runs[0]['dispatches']} dispatches, {runs[0]['barriers']} barriers"]
        if other_engine:
            lines.append(f"llama.cpp {other_engine.get('build', '')}: "
                         + other_engine.get("error", other_engine.get("devices", "")))
        lines += ["", *aims(shape), ""]
    lines += ["| replay | drafter | speed-up | tokens a step | worst task |", "|---|---|---|---|---|"] * bool(results["replay"])
    for run in results["replay"]:
        if "error" in run:
            lines.append(f"| {run['model']} | {run['error']} | | | |")
        for row in run.get("rows", []):
            worst = row.get("worst_task_speedup")
            lines.append(f"| {run['model']} {run['suite']} | {row['drafter']} | {row['speedup']:.2f} | "
                         f"{row['tokens_per_step']:.2f} | {f'{worst:.2f}' if worst else ''} |")
    return "\n".join(lines) + "\n"


def aims(shape):
    """What a graphics card is to reach, and what was reached."""
    rows, rate = shape["vulkan"]["rows"], shape["vulkan"]["copy_rate"]
    read = rows["generate-64"] * shape["bytes"] / 1e9
    costs = {int(n): cost for n, cost in shape["vulkan"]["step_cost"]}
    found = [(f"weights read while generating {read:.0f} GB/s, {read / rate:.0%} of what the device copies with",
              read >= 0.6 * rate)]
    found += [(f"C({n}) = {costs[n]:.2f}, at most {limit}", costs[n] <= limit) for n, limit in ((16, 1.2), (64, 1.6))]
    other = shape["peer"].get("prompt-512")
    if other:
        found.append((f"prompt of 512: {rows['prompt-512'] / other:.2f} of llama.cpp's rate", rows["prompt-512"] >= other))
    return [f"- {'reached' if holds else 'missed'}: {line}" for line, holds in found]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--shapes", default="dsc-1.3b,llama-7b")
    parser.add_argument("--type", default="q4_k")
    parser.add_argument("--output", type=pathlib.Path, default=pathlib.Path.cwd())
    parser.add_argument("--llama-bench", type=pathlib.Path)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    packed = HERE / "peer" / "llama-bench"
    program = options.llama_bench.resolve() if options.llama_bench else packed if packed.exists() else None
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
                                     "--repetitions", 1), "peer": peer(program, model)}

            attempt(results, "speed", both, model)
            if not (HERE / "vocabularies" / f"{shape}.gguf").exists():
                print(f"no vocabulary was packed for {shape}: nothing is replayed", flush=True)
            else:
                for suite in sorted((HERE / "suites").glob("*.jsonl")):
                    attempt(results, "replay", replay, model, shape, suite)
            model.unlink()
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "gpu-bench.json").write_text(json.dumps(results, indent=1))
    (options.output / "gpu-bench.md").write_text(table(results))
    print(table(results))
    sys.exit(0 if all(r["holds"] for r in results["parity"] + results["exactness"]) else 1)


if __name__ == "__main__":
    main()
