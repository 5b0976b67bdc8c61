"""Apache Spark, with a virtual environment and a Java of its own accord."""

import os
import pathlib
import shutil
import subprocess
import sys
import venv

from program import Failure, say

VERSION = "4.3.0"
JAVA_PACKAGE = "openjdk-17-jre-headless"


def environment():
    """The Python of a virtual environment that has PySpark, made on first use in the user's cache."""
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "swiftinfer"
    folder = cache / f"pyspark-{VERSION}-python-{sys.version_info.major}.{sys.version_info.minor}"
    python = folder / "bin" / "python"
    if not (folder / "complete").exists():
        say(f"installing PySpark {VERSION} in {folder}")
        shutil.rmtree(folder, ignore_errors=True)
        venv.create(folder, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", f"pyspark=={VERSION}"], check=True)
        (folder / "complete").touch()
    return python


def require_java():
    """Sees to it that there is a Java."""
    if os.environ.get("JAVA_HOME") or shutil.which("java"):
        return
    if not shutil.which("apt-get") or os.geteuid() != 0:
        raise Failure(f"Spark needs Java 17 or later: install it (Debian: apt-get install {JAVA_PACKAGE}) or set JAVA_HOME")
    say(f"installing {JAVA_PACKAGE}")
    subprocess.run(["apt-get", "update", "-qq"], check=True, stdout=sys.stderr)
    subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", JAVA_PACKAGE], check=True, stdout=sys.stderr)


def fan_out(work, master, modules):
    """Does each piece of `work` with `build_shard` as a task of its own; the results in order."""
    from pyspark.sql import SparkSession

    import shards

    session = (
        SparkSession.builder.master(master)
        .appName("swiftinfer-datastore")
        # A shard whose machine is lost is built again; the same files give the same bytes.
        .config("spark.ui.showConsoleProgress", sys.stderr.isatty())
        .config("spark.ui.enabled", False)
        .getOrCreate()
    )
    try:
        context = session.sparkContext
        context.setLogLevel("ERROR")
        for module in modules:
            context.addPyFile(str(module))
        return context.parallelize(work, max(1, len(work))).map(shards.build_shard).collect()
    finally:
        session.stop()
