"""The real models that there are references of, as far as they have been fetched."""

import json
import os
import pathlib

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def model_folder():
    """The folder of fetched models, as the program finds it."""
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    return pathlib.Path(os.environ.get("SWIFTINFER_MODELS") or cache / "swiftinfer" / "models")


def test_models():
    """The models of the catalogue that tests use: those that Tools/fetch-model gets."""
    catalogue = json.loads((ROOT / "Models" / "catalogue.json").read_text())
    return [entry for entry in catalogue if entry["source"]["kind"] == "pypi"]


def model_path(name):
    """Where the file of a model of the catalogue is, if it has been fetched."""
    return model_folder() / next(entry["file"] for entry in test_models() if entry["name"] == name)


def fetched_references():
    """Name, reference and path of each model of Models/References. One that has not been fetched is skipped, and that is said."""
    folder = model_folder()
    for path in sorted((ROOT / "Models" / "References").glob("*.json")):
        reference = json.loads(path.read_text())
        model = folder / reference["model"]
        if model.exists():
            yield path.stem, reference, model
        else:
            print(f"SKIPPED: {path.stem} has not been fetched (Tools/fetch-model {path.stem})")
