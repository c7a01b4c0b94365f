"""Stimuli: where they come from and how they are prepared for a model."""

from inspector.stimuli.arrays import ArrayDataset, open_array_file
from inspector.stimuli.choosing import GUESSED, choose_preprocess
from inspector.stimuli.cifar import CifarDataset
from inspector.stimuli.columns import column_kind
from inspector.stimuli.dataset import UNLABELLED, Column, Dataset, Subset, limited
from inspector.stimuli.decode import decode_file, decode_image
from inspector.stimuli.diagnose import Hint, InputRange, diagnose, input_range
from inspector.stimuli.errors import (
    ArchiveError,
    ArrayFormatError,
    BrokenImageError,
    DataNotFoundError,
    EmptyDataError,
    LabelError,
    LinkError,
    MissingExtraError,
    PreprocessError,
    StimuliError,
    TableError,
)
from inspector.stimuli.folders import FilesDataset, FolderDataset
from inspector.stimuli.image_headers import image_size
from inspector.stimuli.labels import Matched, labels_as_outputs, match_names
from inspector.stimuli.opening import open_data, open_demo_set
from inspector.stimuli.parquet import ParquetDataset
from inspector.stimuli.pictures import thumbnail
from inspector.stimuli.preprocess import PRESETS, Preprocess
from inspector.stimuli.preprocess_files import find_preprocess, open_preprocess
from inspector.stimuli.preprocessor import ModelInput, Preprocessor
from inspector.stimuli.resample import RESAMPLES, resample
from inspector.stimuli.shards import ShardDataset
from inspector.stimuli.tables import TableOptions

__all__ = [
    "GUESSED",
    "PRESETS",
    "RESAMPLES",
    "UNLABELLED",
    "ArchiveError",
    "ArrayDataset",
    "ArrayFormatError",
    "BrokenImageError",
    "CifarDataset",
    "Column",
    "DataNotFoundError",
    "Dataset",
    "EmptyDataError",
    "FilesDataset",
    "FolderDataset",
    "Hint",
    "InputRange",
    "LabelError",
    "LinkError",
    "Matched",
    "MissingExtraError",
    "ModelInput",
    "ParquetDataset",
    "Preprocess",
    "PreprocessError",
    "Preprocessor",
    "ShardDataset",
    "StimuliError",
    "Subset",
    "TableError",
    "TableOptions",
    "choose_preprocess",
    "column_kind",
    "decode_file",
    "decode_image",
    "diagnose",
    "find_preprocess",
    "image_size",
    "input_range",
    "labels_as_outputs",
    "limited",
    "match_names",
    "open_array_file",
    "open_data",
    "open_demo_set",
    "open_preprocess",
    "resample",
    "thumbnail",
]
