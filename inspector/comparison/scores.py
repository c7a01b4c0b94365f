"""Score every unit of InD and OOD recordings of one model (`F0` to `F4`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inspector.analysis import (
    chance_level,
    normalised,
    novelty_scores,
    spurious_scores,
    tuning_correlation,
)
from inspector.comparison.errors import (
    ComparisonError,
    DifferentModelsError,
    DifferentOptionsError,
    NoCommonCategoriesError,
    NoCommonLayersError,
    SameNameError,
    SignedLayerError,
    UnfinishedRecordingError,
)
from inspector.comparison.tuning import LayerTuning, layer_tuning
from inspector.recording import RecordedLayer, Recording, unanswered

FEW_IMAGES = 5
"""A category with fewer images than this makes its mean, and so the scores, unsteady."""


@dataclass(frozen=True)
class OodScores:
    """The scores of a layer's units for one OOD recording.

    Attributes
    ----------
    spurious : float64 array [units]
        1 - |ρ|; NaN where undefined (`F2`).
    novelty : float64 array [units]
        Highest category mean InD minus OOD, in units of the InD maximum; NaN where undefined.
    rho : float64 array [units]
        Spearman's ρ of the category means.
    categories : int
        Categories compared.
    chance : float
        Median spurious score of unrelated tunings over as many categories.
    dropped : tuple of str
        Categories with images in one of the sets alone.
    fewest : int
        Images of the smallest category compared, in either set.
    """

    spurious: NDArray[np.float64]
    novelty: NDArray[np.float64]
    rho: NDArray[np.float64]
    categories: int
    chance: float
    dropped: tuple[str, ...]
    fewest: int


@dataclass(frozen=True)
class LayerScores:
    """The scores of one layer.

    Attributes
    ----------
    unit : int64 array [units]
        Unit numbers.
    reduction : str
        What the activity was recorded as.
    signed : bool
        Whether raw, signed values were compared: the logits.
    ood : mapping of str to OodScores
        By name of the OOD recording.
    """

    unit: NDArray[np.int64]
    reduction: str
    signed: bool
    ood: Mapping[str, OodScores]


@dataclass(frozen=True)
class Scores:
    """The scores of InD against OOD recordings: a table of arrays per layer.

    Attributes
    ----------
    ind : str
        Name of the InD recording.
    layers : mapping of str to LayerScores
        By layer, in the model's order.
    left_out : mapping of str to str
        Layers that could not be scored, with the reason.
    warnings : tuple of str
        What makes the figures less than they seem, a sentence each.
    """

    ind: str
    layers: Mapping[str, LayerScores]
    left_out: Mapping[str, str]
    warnings: tuple[str, ...] = ()

    def __getitem__(self, layer: str) -> LayerScores:
        """Look up a layer."""
        return self.layers[layer]

    def as_dict(self) -> dict[str, Any]:
        """Plain form, as `inspector scores --json` prints it; NaN becomes None."""
        return {
            "ind": self.ind,
            "layers": {
                name: {
                    "unit": layer.unit.tolist(),
                    "reduction": layer.reduction,
                    "signed": layer.signed,
                    "ood": {ood: _plain(scores) for ood, scores in layer.ood.items()},
                }
                for name, layer in self.layers.items()
            },
            "left_out": dict(self.left_out),
            "warnings": list(self.warnings),
        }


def compare_scores(
    ind: Recording,
    ood: Recording | Sequence[Recording],
    *,
    layer: str | None = None,
    reduction: str | None = None,
    fewest: int = 1,
) -> Scores:
    """Score the units of one layer, or of all that the recordings share.

    Parameters
    ----------
    ind : Recording
        In-distribution, with ground truth.
    ood : Recording or sequence of Recording
        Out-of-distribution, of the same model, with ground truth.
    layer : str, optional
        One layer, by any of its names; None takes every layer that stands in all recordings.
    reduction : str, optional
        A recorded reduction; None takes `relu_mean`, or what equals it.
    fewest : int
        Labelled images that a category needs in both sets to be compared.

    Raises
    ------
    ComparisonError
        When the recordings are of different models, share no layer or no category, or carry one
        name.
    """
    oods = [ood] if isinstance(ood, Recording) else list(ood)
    _check(ind, oods)
    scored: dict[str, LayerScores] = {}
    left_out: dict[str, str] = {}
    for each in _common_layers(ind, oods, layer):
        try:
            scored[each.name] = _layer_scores(ind, oods, each, reduction, fewest)
        except SignedLayerError as error:
            if layer is not None:
                raise
            left_out[each.name] = str(error)
    return Scores(ind.name, scored, left_out, tuple(_warnings(ind, oods, scored)))


def _check(ind: Recording, oods: Sequence[Recording]) -> None:
    if not oods:
        raise ComparisonError("no OOD recording was given; name at least one with --ood")
    names: dict[str, Recording] = {}
    for recording in (ind, *oods):
        if recording.name in names:
            raise SameNameError(
                f"{names[recording.name].path} and {recording.path} are both named "
                f"{recording.name!r}; record one of them again with another --name"
            )
        names[recording.name] = recording
        if not recording.finished:
            raise UnfinishedRecordingError(
                f"{recording.path} is unfinished: {recording.images:,} of "
                f"{recording.header.images:,} images; finish it with `inspector record --resume`"
            )
        ours, theirs = (r.header.options.get("tokens") for r in (ind, recording))
        if ours != theirs:
            raise DifferentOptionsError(
                f"{recording.path} was recorded with --tokens {theirs}, {ind.path} with --tokens "
                f"{ours}; record both in one way"
            )
        if recording.model["sha256"] != ind.model["sha256"]:
            raise DifferentModelsError(
                f"{recording.path} was recorded with the model {recording.model['name']} "
                f"({recording.model['sha256'][:12]}…), {ind.path} with {ind.model['name']} "
                f"({ind.model['sha256'][:12]}…); record both with the same model file"
            )


def _warnings(
    ind: Recording, oods: Sequence[Recording], scored: Mapping[str, LayerScores]
) -> Iterator[str]:
    for recording in (ind, *oods):
        missing = unanswered(recording)
        if missing:
            yield (
                f"{recording.name}: {missing:,} of {recording.images:,} images have outputs that "
                "are not finite; such values are left out of every mean"
            )
        ours, theirs = (r.header.options.get("preprocess") for r in (ind, recording))
        if ours != theirs:
            yield (
                f"{recording.name} was prepared with {theirs}, {ind.name} with {ours}: a "
                "difference in preprocessing also moves the scores"
            )
    fewest: dict[str, OodScores] = {}
    for layer in scored.values():
        fewest |= layer.ood
    for name, result in fewest.items():
        if result.fewest < FEW_IMAGES:
            yield (
                f"a category compared with {name} has only {result.fewest} images; its mean is "
                f"unsteady below {FEW_IMAGES}"
            )
        if result.dropped:
            shown = ", ".join(result.dropped[:8]) + (" …" if len(result.dropped) > 8 else "")
            yield f"{name}: {len(result.dropped)} categories stand in one set alone: {shown}"


def _common_layers(
    ind: Recording, oods: Sequence[Recording], wanted: str | None
) -> list[RecordedLayer]:
    if wanted is not None:
        for recording in oods:
            recording.layer(wanted)  # raises with the nearest names when one of them lacks it
        return [ind.layer(wanted)]
    everywhere = set.intersection(
        *({layer.name for layer in recording.layers} for recording in (ind, *oods))
    )
    common = [layer for layer in ind.layers if layer.name in everywhere]
    if not common:
        raise NoCommonLayersError(
            f"{ind.name} and {', '.join(o.name for o in oods)} have no layer in common; record "
            "them with the same --layers"
        )
    return common


def _layer_scores(
    ind: Recording,
    oods: Sequence[Recording],
    layer: RecordedLayer,
    reduction: str | None,
    fewest: int,
) -> LayerScores:
    ind_tuning = layer_tuning(ind, layer, reduction)
    scores = {}
    for ood in oods:
        ood_tuning = layer_tuning(ood, ood.layer(layer.name), ind_tuning.reduction)
        scores[ood.name] = _ood_scores(ind, ood, ind_tuning, ood_tuning, fewest)
    return LayerScores(np.arange(layer.units), ind_tuning.reduction, ind_tuning.signed, scores)


def _ood_scores(
    ind: Recording, ood: Recording, a: LayerTuning, b: LayerTuning, fewest: int
) -> OodScores:
    """Compare two tunings over the categories that both have (`F1`)."""
    enough_a, enough_b = _named_counts(a, fewest), _named_counts(b, fewest)
    shared = [name for name in enough_a if name in enough_b]
    if not shared:
        raise NoCommonCategoriesError(
            f"{ind.name} and {ood.name} share no category with at least {fewest} labelled images "
            f"in both ({len(enough_a)} and {len(enough_b)} categories); scores need ground truth "
            "in both, under the same names"
        )
    y_ind = normalised(a.means[:, [enough_a[name] for name in shared]], a.maximum)
    y_ood = normalised(b.means[:, [enough_b[name] for name in shared]], a.maximum)
    rho = tuning_correlation(y_ind, y_ood)
    smallest = min(min(a.counts[enough_a[name]], b.counts[enough_b[name]]) for name in shared)
    return OodScores(
        spurious=spurious_scores(rho),
        novelty=novelty_scores(y_ind, y_ood),
        rho=rho,
        categories=len(shared),
        chance=chance_level(len(shared)),
        dropped=tuple(sorted(set(enough_a) ^ set(enough_b))),
        fewest=int(smallest),
    )


def _named_counts(tuning: LayerTuning, fewest: int) -> dict[str, int]:
    """Map the names of categories with enough images to their numbers."""
    return {
        name: number
        for number, name in enumerate(tuning.categories)
        if tuning.counts[number] >= max(1, fewest)
    }


def _plain(scores: OodScores) -> dict[str, Any]:
    return {
        "spurious": _numbers(scores.spurious),
        "novelty": _numbers(scores.novelty),
        "rho": _numbers(scores.rho),
        "categories": scores.categories,
        "chance": None if np.isnan(scores.chance) else scores.chance,
        "dropped": list(scores.dropped),
        "fewest": scores.fewest,
    }


def _numbers(values: NDArray[np.float64]) -> list[float | None]:
    return [None if np.isnan(value) else value for value in values.tolist()]
