"""The code on this machine that common datastores are built from, copied into a folder.

Names in that folder say what a file belongs to and in which version, and nothing of where it was, so that the same versions
give the same datastore on any machine.
"""

import importlib.metadata
import io
import os
import pathlib
import platform
import shutil
import subprocess
import sysconfig
import tarfile

from program import ROOT, Failure, say

# Tests say little about how a library is used, and are as large as the library.
LEFT_OUT = {"test", "tests", "idle_test", "site-packages", "dist-packages", "__pycache__"}


def copy(source, target):
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def report(name, count):
    if count:
        say(f"{name}: {count} files")


def python_library(folder):
    """The standard library of the Python that runs this."""
    name, library, count = f"python-{platform.python_version()}", pathlib.Path(sysconfig.get_path("stdlib")), 0
    for place, folders, files in os.walk(library):
        folders[:] = sorted(set(folders) - LEFT_OUT)
        for file in sorted(files):
            if file.endswith(".py"):
                source = pathlib.Path(place, file)
                copy(source, folder / name / source.relative_to(library))
                count += 1
    report(name, count)


def python_packages(folder):
    """What is installed for the Python that runs this."""
    packages = {f"{package.metadata['Name']}-{package.version}": package for package in importlib.metadata.distributions()}
    for name in sorted(packages):
        count = 0
        for file in packages[name].files or []:
            source = pathlib.Path(packages[name].locate_file(file))
            # Scripts lie outside of the folder of packages.
            if file.suffix != ".py" or ".." in file.parts or LEFT_OUT & set(file.parts) or not source.is_file():
                continue
            copy(source, folder / name / file)
            count += 1
        report(name, count)


def swift_packages(folder, _):
    """The packages SwiftPM has cloned for any project, and those of this one."""
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "org.swift.swiftpm"
    clones = [*cache.glob("repositories/*"), *(pathlib.Path.home() / "Library/Caches/org.swift.swiftpm").glob("repositories/*")]
    for clone in sorted([*clones, *ROOT.glob(".build/checkouts/*")]):
        git_tree(folder, clone)


def git_tree(folder, clone):
    """The Swift files that a clone's HEAD has."""
    git = ["git", "-C", clone]
    found = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True)
    if found.returncode:
        return
    commit = found.stdout.strip()
    # The cache's names end in a hash of where the clone is from.
    title = clone.name.removesuffix(".git").rsplit("-", 1)[0] if clone.parent.name == "repositories" else clone.name
    name = f"{title}-{commit[:12]}"
    if (folder / name).exists():
        return
    archive = subprocess.run([*git, "archive", "--format", "tar", commit], capture_output=True, check=True).stdout
    count = 0
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for member in tar:
            path = pathlib.PurePosixPath(member.name)
            if not member.isfile() or path.suffix != ".swift" or ".." in path.parts or "Tests" in path.parts:
                continue
            target = folder / name / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(tar.extractfile(member).read())
            count += 1
    report(name, count)


def python_corpus(folder, with_packages):
    python_library(folder)
    if with_packages:
        python_packages(folder)


CORPORA = {"python": python_corpus, "swift": swift_packages}


def gather(kind, folder, with_packages):
    """Copies the code of a kind into `folder`."""
    CORPORA[kind](folder, with_packages)
    if not any(folder.iterdir()):
        raise Failure(f"no {kind} code was found on this machine")
