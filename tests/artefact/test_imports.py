"""Each handler imports in a clean interpreter from what was built: nothing of this machine's packages helps it.

An emulator that runs functions on its own interpreter lets them see its own packages, so only this finds what a
layer lacks.
"""

import json
import subprocess
from pathlib import Path

import pytest

from tests.artefact.building import FUNCTIONS, PYTHON, ROOT

# Runs with -I and -S: no site-packages, no .pth files, no variables for Python. Counts what Python had to compile.
PROBE = """
import importlib, json, sys
*roots, name = sys.argv[1:]
compiled = []
def hook(event, args):
    if event == "compile" and str(args[1]).startswith(tuple(roots)):
        compiled.append(str(args[1]))
sys.addaudithook(hook)
sys.path[:0] = roots
handler = importlib.import_module(name).handler
files = [module.__file__ for module in list(sys.modules.values()) if getattr(module, "__file__", None)]
print(json.dumps({"callable": callable(handler), "compiled": compiled, "files": files}))
"""


@pytest.mark.parametrize("verb", FUNCTIONS)
def test_a_handler_imports_from_what_was_built_alone(
    verb: str, built: Path, layers: tuple[Path, Path]
) -> None:
    """The handler is there; all that it loads is the standard library or ours; and nothing had to be compiled.

    A good environment loads nothing that names the damage in a bad one.
    """
    roots = [str(built / f"{verb.title()}Function"), *map(str, layers)]
    variables = json.loads((ROOT / "events/env.json").read_text())[f"{verb.title()}Function"]
    lambda_sets = {"AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1", "LAMBDA_TASK_ROOT": roots[0]}
    done = subprocess.run(  # noqa: S603 - the script stands above
        [PYTHON, "-I", "-S", "-c", PROBE, *roots, f"{verb}.app"],
        env=variables | lambda_sets | {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"},
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["callable"]
    assert seen["compiled"] == []
    standard = str(PYTHON.parent.parent / "lib/python3.13")
    strangers = [
        file for file in seen["files"] if not file.startswith((*roots, standard)) or "site-packages" in file
    ]
    assert strangers == []
    assert not [file for file in seen["files"] if file.endswith("text_damage.py")]
