"""What the scripts about datastores share: options, and running `swiftinfer datastore build`."""

import argparse
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


class Failure(Exception):
    """Something that ends the script with one line."""


class Parser(argparse.ArgumentParser):
    """A parser with the options of every script here, which leaves with the status of wrong usage."""

    def __init__(self, text):
        super().__init__(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
        default = ROOT / ".build" / "release" / "swiftinfer"
        self.add_argument("--model", required=True, help="the model whose tokens the datastores hold: a file, or a catalogue name")
        self.add_argument("--swiftinfer", type=pathlib.Path, default=default, metavar="PATH", help="the program (default: %(default)s)")

    def error(self, message):
        print(f"{self.prog}: {message}", file=sys.stderr)
        sys.exit(64)

    def parse(self):
        options = self.parse_args()
        if not options.swiftinfer.is_file():
            raise Failure(f"there is no {options.swiftinfer}: run `swift build -c release`, or name the program with --swiftinfer")
        options.swiftinfer = options.swiftinfer.resolve()
        return options


def say(text):
    print(text, file=sys.stderr, flush=True)


def build(program, model, output, folder, *options, files=None, quiet=False):
    """Builds a datastore of what is in `folder`, or of `files` in it, and returns what the program reports as JSON."""
    listed = None if files is None else b"".join(file + b"\n" for file in files)
    given = ["--files-from", "-"] if files is not None else []
    command = [program, "datastore", "build", "-o", output, "--model", model, "--json", *given, *options, folder]
    errors = subprocess.PIPE if quiet else None
    done = subprocess.run(list(map(str, command)), input=listed, stdout=subprocess.PIPE, stderr=errors)
    if done.returncode:
        lines = (done.stderr or b"").decode(errors="replace").strip().splitlines()
        raise Failure(lines[-1] if lines else f"swiftinfer datastore build ended with status {done.returncode}")
    return json.loads(done.stdout)


def leave(main):
    """Runs `main` and turns its failures into one line each."""
    try:
        main()
    except (Failure, OSError, subprocess.CalledProcessError) as error:
        say(f"{pathlib.Path(sys.argv[0]).name}: {error}")
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
