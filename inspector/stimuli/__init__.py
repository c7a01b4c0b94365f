"""Stimuli: where they come from and how they are prepared for a model."""

from inspector.stimuli.arrays import ArrayDataset, open_array_file
from inspector.stimuli.dataset import UNLABELLED, Dataset, Subset, limited
from inspector.stimuli.errors import (
    ArrayFormatError,
    BrokenImageError,
    DataNotFoundError,
    EmptyDataError,
    LabelError,
    PreprocessError,
    StimuliError,
)
from inspector.stimuli.folders import FolderDataset
from inspector.stimuli.opening import labels_as_outputs, open_data, open_demo_set
from inspector.stimuli.pictures import thumbnail
from inspector.stimuli.preprocess import (
    PRESETS,
    ModelInput,
    Preprocess,
    Preprocessor,
    choose_preprocess,
    open_preprocess,
)

__all__ = [
    "PRESETS",
    "UNLABELLED",
    "ArrayDataset",
    "ArrayFormatError",
    "BrokenImageError",
    "DataNotFoundError",
    "Dataset",
    "EmptyDataError",
    "FolderDataset",
    "LabelError",
    "ModelInput",
    "Preprocess",
    "PreprocessError",
    "Preprocessor",
    "StimuliError",
    "Subset",
    "choose_preprocess",
    "labels_as_outputs",
    "limited",
    "open_array_file",
    "open_data",
    "open_demo_set",
    "open_preprocess",
    "thumbnail",
]
