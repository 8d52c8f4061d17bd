"""Where the local stack finds its tools and keeps its logs: all within this folder, but for a temporary one."""

import shutil
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIBRARY = ROOT / "layers" / "zendesk_oauth"
TOOLS = ROOT / ".tools"
SAM = TOOLS / "sam" / "bin" / "sam"
MINISTACK_PYTHON = TOOLS / "ministack" / "bin" / "python"
PYTHON = TOOLS / "python3.13"
RUNTIME_EMULATOR = TOOLS / "sam/lib/python3.13/site-packages/samcli/local/rapid/aws-lambda-rie-{architecture}"
EMULATOR = ROOT / "local" / "emulator.py"
BUILT = ROOT / ".aws-sam" / "build"
BUILT_TEMPLATE = BUILT / "template.yaml"
PACKAGED = ROOT / "build" / "cache" / "packaged"
EXAMPLE = ROOT / "examples" / "worker-stack"
BUILT_EXAMPLES = ROOT / "build" / "cache" / "examples"
LOGS = ROOT / "build" / "local"
"""Logs of the last few runs, so that a failure can be looked into."""
ENVIRONMENT = LOGS / "environment"
"""What a second terminal sources, while `make local` runs."""
SAM_LOCAL = LOGS / "sam"
"""Settings of `sam local` for this stack, while `make local` runs."""
CONTAINERS_CONF = ROOT / "scripts" / "containers.conf"
_KEPT = 4


def fresh_logs() -> Path:
    """Return an empty folder for this run's logs; those of a few runs before it stay."""
    LOGS.mkdir(parents=True, exist_ok=True)
    keep_newest(LOGS)
    return Path(tempfile.mkdtemp(prefix=time.strftime("%Y%m%d-%H%M%S-"), dir=LOGS))


def keep_newest(folder: Path) -> None:
    """Remove all but the newest folders in it: another run may still use one of those."""
    folders = (path for path in folder.iterdir() if path.is_dir())
    for old in sorted(folders, key=lambda path: path.stat().st_mtime)[:-_KEPT]:
        shutil.rmtree(old, ignore_errors=True)
