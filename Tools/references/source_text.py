"""The text on which perplexity is compared: 100 KB of Python that pip can fetch anywhere."""

import pathlib
import subprocess
import sys
import tempfile
import zipfile

PACKAGE = "boltons==25.0.0"
SIZE = 100_000


def source_text():
    """The first 100,000 bytes, cut at a line, of the package's modules in the order of their names."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, PACKAGE]
        subprocess.run(command, check=True)
        wheel = zipfile.ZipFile(next(pathlib.Path(folder).glob("*.whl")))
        modules = sorted(name for name in wheel.namelist() if name.endswith(".py"))
        text = b"".join(wheel.read(name) for name in modules)
    return text[:SIZE].rsplit(b"\n", 1)[0] + b"\n"
