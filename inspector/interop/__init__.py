"""Other programs' files: Deephys in and out, tables and arrays out."""

from __future__ import annotations

from inspector.interop.arrays import export_npz
from inspector.interop.deephys import DeephysImage, DeephysModel, DeephysTest, read_model
from inspector.interop.errors import (
    BrokenFileError,
    InteropError,
    MissingLibraryError,
    NotExportableError,
    TargetExistsError,
    UnreadableFileError,
    UnwritableFileError,
)
from inspector.interop.export_plan import DeephysOptions
from inspector.interop.exporting import Exported, export_deephys
from inspector.interop.importing import Imported, import_deephys
from inspector.interop.table import export_csv

__all__ = [
    "BrokenFileError",
    "DeephysImage",
    "DeephysModel",
    "DeephysOptions",
    "DeephysTest",
    "Exported",
    "Imported",
    "InteropError",
    "MissingLibraryError",
    "NotExportableError",
    "TargetExistsError",
    "UnreadableFileError",
    "UnwritableFileError",
    "export_csv",
    "export_deephys",
    "export_npz",
    "import_deephys",
    "read_model",
]
