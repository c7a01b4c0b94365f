"""`inspector doctor`: versions, providers, display, and what is missing with the line to get it."""

from __future__ import annotations

import importlib
import os
import platform
import sys
from importlib import metadata
from typing import Annotated, Any

import typer

import inspector
from inspector.cli.output import print_json
from inspector.cli.system import display_problem, missing_libraries, missing_library

EXAMPLE = "inspector doctor"

PACKAGES = (
    "onnx", "onnxruntime", "numpy", "cv2", "dearpygui", "msgpack", "scipy", "typer", "rich",
)  # fmt: skip
_DISTRIBUTIONS = {"cv2": ("opencv-python", "opencv-python-headless")}


def command(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check the installation; exit code 1 when something is missing."""
    report = examine()
    if as_json:
        print_json(report)
    else:
        _print(report)
    if report["problems"]:
        raise typer.Exit(1)


def examine() -> dict[str, Any]:
    """Look at packages, providers, libraries and display.

    Returns
    -------
    dict
        `packages` (name to version, None where the import fails), `providers`, `display`, and
        `problems`: a line each, with what mends it.
    """
    problems = []
    packages = {}
    for package in PACKAGES:
        version, problem = _import(package)
        packages[package] = version
        if problem is not None:
            problems.append(problem)
    for library in missing_libraries():
        line = (
            f"{library.soname} is missing, which {library.needed_by} needs: "
            f"apt-get install {library.debian}"
        )
        if not any(library.soname in problem for problem in problems):
            problems.append(line)
    if os.environ.get("DISPLAY") and (dead := display_problem()):
        problems.append(dead)
    both = [name for name in ("onnxruntime", "onnxruntime-gpu") if _version(name)]
    if len(both) == 2:
        problems.append(
            "onnxruntime and onnxruntime-gpu overwrite each other: "
            "pip uninstall -y onnxruntime onnxruntime-gpu && pip install onnxruntime-gpu"
        )
    return {
        "inspector": inspector.__version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "packages": packages,
        "providers": _providers(packages),
        "display": display_problem() or os.environ.get("DISPLAY", sys.platform),
        "problems": problems,
    }


def _import(package: str) -> tuple[str | None, str | None]:
    """Import a package for real: a version alone says nothing about its libraries."""
    try:
        importlib.import_module(package)
    except ImportError as error:
        names = _DISTRIBUTIONS.get(package, (package,))
        known = missing_library(error)
        if known is None:
            known = f"{package} cannot be imported ({error}): pip install {names[0]}"
        return None, known
    for name in (*_DISTRIBUTIONS.get(package, (package,)), f"{package}-gpu"):
        version = _version(name)
        if version:
            return version, None
    return "unknown", None


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _providers(packages: dict[str, Any]) -> list[str]:
    if packages["onnxruntime"] is None:
        return []
    runtime = importlib.import_module("onnxruntime")
    return [str(name) for name in runtime.get_available_providers()]


def _print(report: dict[str, Any]) -> None:
    typer.echo(f"inspector    {report['inspector']}")
    typer.echo(f"python       {report['python']} on {report['system']}")
    for name, version in report["packages"].items():
        typer.echo(f"{name:<12} {version or 'cannot be imported'}")
    typer.echo(f"providers    {', '.join(report['providers']) or 'none'}")
    typer.echo(f"display      {report['display']}")
    if not report["problems"]:
        typer.echo("all is well")
    for problem in report["problems"]:
        typer.echo(f"problem: {problem}")
