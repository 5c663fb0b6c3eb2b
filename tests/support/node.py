"""The page's modules under node, for what needs no browser."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from importlib.resources import files
from pathlib import Path
from typing import Any

DASHBOARD = Path(str(files("framelink") / "dashboard"))
NODE_DEADLINE = 60
"""Seconds that a script may take, on a machine that is busy."""


def run_module(source: str) -> Any:
    """Run a script under node and return what it gives to `report(value)`; `./name.js` is one of the page's modules."""
    node = shutil.which("node")
    assert node, "the tests need node; `make test` installs it where it may"
    source = re.sub(r'from "\./', f'from "{DASHBOARD.as_uri()}/', source)
    source = "const report = (value) => console.log(JSON.stringify(value ?? null));\n" + source
    done = subprocess.run(
        [node, "--input-type=module", "-e", source + "\nprocess.exit(0);"],
        capture_output=True, text=True, timeout=NODE_DEADLINE, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
