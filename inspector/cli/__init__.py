"""The command line: one file per command."""

from inspector.cli.main import main

__all__ = ["main"]
