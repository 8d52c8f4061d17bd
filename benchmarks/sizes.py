"""How large what is shipped is: MB of each layer and function, unzipped and as a zip file."""

import zipfile
from pathlib import Path
from tempfile import TemporaryFile

from benchmarks.artefact import FUNCTIONS, LAYERS, Artefact

LAMBDA_LIMIT_MB = 250
"""Lambda's limit for a function with all its layers, unzipped."""
_MEGABYTE = 1_000_000


def measure_sizes(artefact: Artefact) -> dict[str, dict[str, float]]:
    """Return `{name: {"unzipped", "zipped"}}` of each layer, and of all functions together."""
    sizes = {name: _sizes([artefact.layer(name)]) for name in LAYERS}
    return sizes | {"functions": _sizes([artefact.task(function) for function in FUNCTIONS])}


def _sizes(folders: list[Path]) -> dict[str, float]:
    files = [(folder, path) for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
    unzipped = sum(path.stat().st_size for _, path in files)
    with TemporaryFile() as target:
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as archive:
            for folder, path in files:
                archive.write(path, str(path.relative_to(folder)))
        zipped = target.tell()
    return {"unzipped": round(unzipped / _MEGABYTE, 2), "zipped": round(zipped / _MEGABYTE, 2)}
