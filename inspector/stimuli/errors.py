"""What can be wrong with the data that a user brings."""

from __future__ import annotations

from inspector.errors import InspectorError


class StimuliError(InspectorError):
    """Root of the errors about stimuli."""


class DataNotFoundError(StimuliError):
    """The path given as data does not exist or is of no known kind."""


class EmptyDataError(StimuliError):
    """There is nothing to show to the model."""


class ArrayFormatError(StimuliError):
    """An array file is broken, or its arrays do not have the shapes that images have."""


class BrokenImageError(StimuliError):
    """One image cannot be read; the others may be fine."""


class LabelError(StimuliError):
    """A ground truth is not one of the classes of the model."""


class PreprocessError(StimuliError):
    """A preprocessing is unknown, or its result does not fit the model's input."""


class LinkError(StimuliError):
    """A link or a path leads out of the folder that was named."""


class TableError(StimuliError):
    """A table cannot be read, or does not describe the data."""


class ArchiveError(StimuliError):
    """A tar shard or a Parquet file is broken, or is not laid out as it should be."""


class MissingExtraError(StimuliError):
    """A kind of data needs a package that is not installed."""
