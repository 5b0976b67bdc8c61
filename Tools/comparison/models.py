"""The files that are compared: fetched, requantised or made up, once, in the cache."""

import json
import os
import pathlib
import subprocess

from peer import Unavailable, cache_folder, run, say

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
# Name: how it is had. "fetch" a model of the catalogue; "requantize" another of these to a type; "make" a shape in a type.
MODELS = {
    "smollm2-135m-q4_1": ("fetch", "smollm2-135m-instruct"),
    "smollm2-135m-q4_0": ("requantize", "smollm2-135m-q4_1", "Q4_0"),
    "smollm2-135m-q8_0": ("requantize", "smollm2-135m-q4_1", "Q8_0"),
    "gemma-3-270m-q4_k_m": ("fetch", "gemma-3-270m"),
    "dsc-1.3b-q4_0": ("make", "dsc-1.3b", "q4_0"),
    "dsc-1.3b-q4_k": ("make", "dsc-1.3b", "q4_k"),
}


def fetched(name):
    """The file of a model of the catalogue."""
    entry = next(entry for entry in json.loads((ROOT / "Models" / "catalogue.json").read_text()) if entry["name"] == name)
    path = pathlib.Path(os.environ.get("SWIFTINFER_MODELS") or cache_folder() / "models") / entry["file"]
    if not path.exists() and subprocess.run([ROOT / "Tools" / "fetch-model", name], stdout=subprocess.DEVNULL).returncode:
        raise Unavailable(f"{name} cannot be fetched")
    return path


def file(name, swiftinfer, programs):
    """The file of that name, made if it is not there; or `name` itself when it is a path."""
    if name not in MODELS:
        if not name.endswith(".gguf"):
            raise Unavailable(f"no model is called {name}; there are {', '.join(MODELS)}, and paths of .gguf files")
        return pathlib.Path(name)
    how, source, *types = MODELS[name]
    if how == "fetch":
        return fetched(source)
    path = cache_folder() / "comparison" / f"{name}.gguf"
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    say(f"making {path}")
    # Under its name only when it is whole.
    partial = path.with_suffix(".partial")
    if how == "make":
        command = [swiftinfer, "make-model", source, "--type", *types, "-o", partial, "--force"]
    else:
        command = [programs / "llama-quantize", "--allow-requantize", file(source, swiftinfer, programs), partial, *types]
    run(command, f"{path.name} cannot be made")
    os.replace(partial, path)
    return path
