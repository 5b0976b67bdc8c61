"""Cutting a large corpus into shards, and building one of them. Imported by Spark's workers too."""

import hashlib
import os
import pathlib

import program


def list_files(folder, extensions):
    """Paths of the files below a folder, as bytes relative to it, in order. Links are not followed."""
    found = []
    for place, folders, files in os.walk(os.fsencode(folder)):
        folders[:] = [name for name in folders if name != b".git"]
        for name in files:
            if not extensions or name.rpartition(b".")[2].lower() in extensions:
                found.append(os.path.relpath(os.path.join(place, name), os.fsencode(folder)))
    # A line break in a name would cut a list of names.
    return sorted(path for path in found if b"\n" not in path)


def deal(paths, count):
    """The paths of each shard. Where a file goes depends on its path alone: a corpus that grows keeps its shards."""
    shards = [[] for _ in range(count)]
    for path in paths:
        shards[int.from_bytes(hashlib.blake2b(path, digest_size=8).digest(), "big") % count].append(path)
    return shards


def build_shard(work):
    """Builds a shard and returns its entry in the manifest."""
    number, files, options = work
    output = pathlib.Path(options["output"], f"shard-{number:05}-of-{options['shards']:05}.store")
    report = program.build(
        options["program"], options["model"], output, options["folder"], "--threads", options["threads"], files=files, quiet=True
    )
    digest = hashlib.sha256()
    with open(output, "rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    kept = {key: report[key] for key in ("documents", "tokens", "source_bytes", "file_bytes")}
    return {"file": output.name, **kept, "sha256": digest.hexdigest()}
