"""Runs the command line in the test's own process."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TextIO

import pytest

from framelink.cli import main
from tests.support.program import Outcome

Run = Callable[..., Outcome]
"""run("encode", "--addr", "1", stdin=b"…") → the outcome."""


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """A function that runs the command line and returns its outcome."""

    def run_here(*arguments: str, stdin: bytes = b"", stderr: TextIO | None = None) -> Outcome:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        if stderr is not None:
            monkeypatch.setattr("sys.stderr", stderr)
        capsys.readouterr()
        code = main([str(one) for one in arguments])
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return run_here
