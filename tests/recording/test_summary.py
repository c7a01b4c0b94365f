from __future__ import annotations

import warnings
from dataclasses import fields

import numpy as np
import pytest

from inspector.recording.summarise import summarise
from inspector.recording.summary_state import GROUP


def plain(values, labels, keep):
    """The summary of values [units, images], written down plainly."""
    values = values[:, keep].astype(np.float64)
    numbers = np.flatnonzero(keep)
    finite = np.isfinite(values)
    count = finite.sum(axis=1)
    clean = np.where(finite, values, np.nan)
    with np.errstate(all="ignore"):
        mean = np.where(count > 0, np.nansum(clean, axis=1) / count, np.nan)
        spread = np.sqrt(np.nansum((clean - mean[:, None]) ** 2, axis=1) / count)
        zeros = (values == 0).sum(axis=1) / count
    tops = []
    for unit, row in enumerate(values):
        chosen = np.flatnonzero(finite[unit] & (row != 0))
        order = chosen[np.argsort(-row[chosen], kind="stable")][:100]
        tops.append((numbers[order], row[order]))
    return count, mean, spread, zeros, tops


class Blocks:
    """Values [units, images] in blocks of `size` images."""

    def __init__(self, values, size):
        self.values, self.size, self.units = values, size, values.shape[0]

    def spans(self):
        images = self.values.shape[1]
        return [(s, min(self.size, images - s)) for s in range(0, images, self.size)]

    def read(self, block, first, last):
        start, count = self.spans()[block]
        return self.values[first:last, start : start + count]


def cut(values, labels, gone, size, threads=0):
    return summarise(Blocks(values, size), labels, gone, threads)


def case(seed, units, images, kind):
    rng = np.random.default_rng(seed)
    values = rng.standard_normal((units, images)).astype(np.float32)
    if kind == "relu":
        values = np.maximum(values, 0)
    if kind == "rising":  # every chunk beats the last: ranges grow, tops change
        values = (np.abs(values) * 1.2 ** np.arange(images)).astype(np.float32)
    if kind == "ties":
        values = np.round(values)
    if kind == "bad":
        values[rng.random(values.shape) < 0.1] = np.nan
        values[rng.random(values.shape) < 0.05] = np.inf
        values[0] = np.nan
    if kind == "tiny":
        values *= np.float32(1e-35)
    if kind == "zero":
        values *= 0
    if kind == "constant":
        values[:] = np.float32(0.1)
    if kind == "late sign":
        values = np.abs(values)
        values[:, images // 2 :] *= -3
    labels = rng.integers(-1, 6, images).astype(np.int32) * 3
    labels[labels < 0] = -1
    return values, labels, np.array([3, 17, images - 1])


KINDS = ["relu", "signed", "rising", "ties", "bad", "tiny", "zero", "constant", "late sign"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_summary_is_what_numpy_says(kind):
    values, labels, gone = case(1, 3 * GROUP + 5, 400, kind)
    keep = np.ones(400, bool)
    keep[gone] = False
    summary = cut(values, labels, gone, 64)
    count, mean, spread, zeros, tops = plain(values, labels, keep)
    assert summary.images == 397
    np.testing.assert_array_equal(summary.nonfinite, 397 - count)
    scale = np.nanmax(np.abs(mean)) if np.isfinite(mean).any() else 1
    np.testing.assert_allclose(summary.mean, mean, rtol=1e-12, atol=1e-14 * scale)
    np.testing.assert_allclose(summary.spread, spread, rtol=1e-7, atol=1e-12 * scale)
    np.testing.assert_allclose(summary.zeros, zeros)
    if kind == "constant":
        assert (summary.spread == 0).all()
    for unit, (numbers, best) in enumerate(tops):
        k = numbers.size
        np.testing.assert_array_equal(summary.top_images[unit, :k], numbers)
        np.testing.assert_array_equal(summary.top_values[unit, :k], best)
        assert (summary.top_images[unit, k:] == -1).all()
        assert np.isnan(summary.top_values[unit, k:]).all()
    kept = values[:, keep]
    largest = np.abs(kept[np.isfinite(kept)]).max()
    assert summary.high > largest or largest == 0
    assert summary.high <= 2 * largest or largest == 0
    assert summary.low == (-summary.high if (kept[np.isfinite(kept)] < 0).any() else 0)
    bins = summary.histogram.shape[1]
    for unit in range(values.shape[0]):
        row = kept[unit][np.isfinite(kept[unit])].astype(np.float64)
        width = (summary.high - summary.low) / bins
        place = np.floor(row / width).astype(int) - round(summary.low / width)
        np.testing.assert_array_equal(summary.histogram[unit], np.bincount(place, minlength=bins))
    for column, label in enumerate(summary.category_ids):
        assert summary.category_counts[column] == (labels == label).sum()
        mine = kept[:, labels[keep] == label].astype(np.float64)
        mine[~np.isfinite(mine)] = np.nan
        some = np.isfinite(mine).any(axis=1)
        expected = np.full(values.shape[0], np.nan)
        expected[some] = np.nanmean(mine[some], axis=1)
        np.testing.assert_allclose(
            summary.category_means[:, column], expected, rtol=1e-9, atol=1e-15 * scale
        )


@pytest.mark.parametrize("kind", KINDS)
def test_histogram_top_and_counts_do_not_depend_on_the_chunks(kind):
    values, labels, gone = case(2, 7, 300, kind)
    one, other = cut(values, labels, gone, 300), cut(values, labels, gone, 8)
    for name in ("histogram", "low", "high", "top_images", "top_values", "maximum", "nonfinite",
                 "zeros", "category_ids", "category_counts"):  # fmt: skip
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


@pytest.mark.parametrize("order", ["mixed", "sorted", "mostly one"])
def test_categories_add_up_however_they_are_ordered(order):
    rng = np.random.default_rng(3)
    values = rng.standard_normal((5, 1000)).astype(np.float32)
    values[3, ::7] = np.nan
    labels = rng.integers(-1, 40, 1000).astype(np.int32)
    if order == "sorted":
        labels.sort()
    if order == "mostly one":
        labels[rng.random(1000) < 0.9] = 7
    summary = cut(values, labels, np.empty(0, np.int64), 500)
    for column, label in enumerate(summary.category_ids):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a unit without one finite value in the category
            expected = np.nanmean(values[:, labels == label], axis=1, dtype=np.float64)
        np.testing.assert_allclose(summary.category_means[:, column], expected, rtol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_any_number_of_threads_gives_the_same_bits(kind):
    values, labels, gone = case(4, 5 * GROUP + 3, 300, kind)
    one, other = (cut(values, labels, gone, 64, threads) for threads in (1, 3))
    for field in fields(one):
        mine, theirs = getattr(one, field.name), getattr(other, field.name)
        assert np.asarray(mine).tobytes() == np.asarray(theirs).tobytes(), field.name
