"""The command line: parse arguments and wire things up, nothing else."""

from framelink.cli.app import main

__all__ = ["main"]
