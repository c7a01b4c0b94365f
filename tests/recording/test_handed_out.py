"""Everything handed out is read-only, and everything asked for wrongly is said in one line."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from test_views_and_parts import write_parts
from tiny_recordings import CONV, header, write

from inspector.recording import (
    OutOfRangeError,
    RecordingWriter,
    SummaryTooLargeError,
    open_recording,
)


def opened(tmp_path, kind):
    whole = header(images=30, chunk=4)
    if kind == "folder":
        write_parts(tmp_path, whole, [0, 8, 20, 30])
        return open_recording(tmp_path)
    if kind == "folder of one":
        write_parts(tmp_path, whole, [0, 8])
        return open_recording(tmp_path)
    chunks = {"unfinished": 3, "empty": 0}.get(kind)
    path = write(tmp_path / "a.msgpack", whole, chunks=chunks)
    expression = {"view": "::image in 5..24", "whole view": "::image >= 0"}.get(kind, "")
    return open_recording(f"{path}{expression}")


def arrays_of(rec):
    """Yield the name of everything public that is an array, and the array."""
    for name in ("labels", "predictions", "confidences", "numbers"):
        yield name, getattr(rec, name)
    for name in rec.columns:
        values = rec.columns[name]
        if isinstance(values, np.ndarray):
            yield name, values
    for image in range(rec.images):
        yield "thumbnail", rec.thumbnail(image)
        yield "image.thumbnail", rec.image(image).thumbnail
    for layer in rec.layers:
        for reduction in layer.reductions:
            activity = rec.activity(layer.name, reduction)
            yield from (("blocks", values) for _, values in activity.blocks())
            yield "all", activity[:]
            yield "unit", rec.unit(layer.name, 1, reduction)
            yield "one unit", activity[:, 1]
            for summary in (
                rec.summary(layer.name, reduction),
                rec.unit_summary(layer.name, 1, reduction),
            ):
                found = {
                    name: each
                    for name, each in vars(summary).items()
                    if isinstance(each, np.ndarray)
                }
                assert len(found) == 11
                yield from found.items()
            top = rec.top(layer.name, 1, reduction=reduction)
            yield from zip(("top.images", "top.values"), top, strict=True)
            if rec.images:
                yield "row", rec.row(layer.name, 0, reduction)
                yield "some", activity[[0, 1], 1:]


@pytest.mark.parametrize(
    "kind", ["plain", "unfinished", "empty", "view", "whole view", "folder", "folder of one"]
)
def test_every_array_is_read_only(tmp_path, kind):
    with opened(tmp_path, kind) as rec:
        writable = {name for name, array in arrays_of(rec) if array.flags.writeable}
        assert writable == set()
        with pytest.raises(TypeError):
            rec.skipped[0] = "it"


def test_what_is_asked_for_wrongly_names_file_and_layer(tmp_path):
    path = write(tmp_path / "a.msgpack")
    with open_recording(path) as rec:
        activity = rec.activity("conv1")
        huge = 10**30
        for ask, words in (
            (lambda: activity[600], "'conv1:relu_mean': image number (found 600; limit 0 to 9)"),
            (lambda: activity[[1, 600]], "image number (found 600; limit 0 to 9)"),
            (lambda: activity[0, 3], "unit number (found 3; limit 0 to 2)"),
            (lambda: rec.unit("conv1", 50), "'conv1:relu_mean': unit number (found 50; limit"),
            (lambda: rec.unit_summary("conv1", 50), "'conv1:relu_mean': unit number (found 50;"),
            (lambda: rec.top("conv1", 50), "'conv1:relu_mean': unit number (found 50; limit"),
            (lambda: activity[True], "image number must be a whole number (found True)"),
            (lambda: activity[np.True_], "image number must be a whole number (found True)"),
            (lambda: activity[1.5], "image number must be a whole number (found 1.5)"),
            (lambda: activity[None], "image number must be a whole number (found None)"),
            (lambda: activity["3"], "image number must be a whole number (found '3')"),
            (lambda: activity[[1.5]], "image number must be a whole number (found [1.5])"),
            (lambda: activity[[[1], [1, 2]]], "must be a whole number"),
            (lambda: activity[huge], f"image number (found {huge}; limit 0 to 9)"),
            (lambda: activity[[huge, 1]], f"image number (found {huge}; limit 0 to 9)"),
            (lambda: activity[10**5000], "image number (found a number of 16610 bits; limit"),
            (lambda: activity[np.array([2**64 - 1], np.uint64)], f"found {2**64 - 1}; limit"),
            (lambda: activity[[True]], "mask over layer 'conv1:relu_mean': image numbers"),
            (lambda: activity[0, 0, 0], "'conv1:relu_mean': axes (found 3; limit 2)"),
            (lambda: rec.unit("conv1", 1.5), "unit number must be a whole number (found 1.5)"),
            (lambda: rec.unit("conv1", True), "unit number must be a whole number (found True)"),
            (lambda: rec.unit_summary("conv1", "1"), "unit number must be a whole number"),
            (lambda: rec.image("3"), "image number must be a whole number (found '3')"),
            (lambda: rec.row("conv1", None), "image number must be a whole number (found None)"),
            (lambda: rec.thumbnail(10), "image number (found 10; limit 0 to 9)"),
        ):
            with pytest.raises(OutOfRangeError) as caught:
                ask()
            assert words in str(caught.value)
            assert str(caught.value).startswith(f"{path}: ")
            assert "\n" not in str(caught.value)
        np.testing.assert_array_equal(activity[()], activity[:])
        assert activity[np.uint64(9)].shape == activity[-1].shape == (3,)


def test_an_image_is_shown_in_one_short_line(tmp_path):
    with open_recording(write(tmp_path / "a.msgpack")) as rec:
        assert repr(rec.image(0)) == (
            "<ImageRecord 0: 'cat/0.png', label 0, prediction 0, confidence 0.5, camera 'c0', "
            "lux 0, burst 0, 4 × 3 px>"
        )
        assert repr(rec.image(3)).endswith("skipped (cannot be decoded: 3)>")


def test_a_summary_that_would_not_fit_is_refused(tmp_path):
    """A file says how many units there are: a summary of none takes no memory, others a bound."""
    wide = header(layers=(replace(CONV, units=1 << 24),), output={}, columns={})
    with RecordingWriter.create(tmp_path / "a.msgpack", wide):
        pass
    with open_recording(tmp_path / "a.msgpack") as rec:
        summary = rec.summary("conv1")
        assert summary.histogram.shape == (1 << 24, 128)
        assert summary.top_images.shape == summary.top_values.shape == (1 << 24, 100)
        assert summary.category_means.shape == (1 << 24, 0)
        assert (summary.images, summary.low, summary.high) == (0, 0.0, 1.0)
        assert np.isnan(summary.maximum[-1])
        assert summary.top_images[-1, -1] == -1
        assert rec.unit_summary("conv1", 5).histogram.sum() == 0
    wide = replace(wide, layers=(replace(CONV, units=1_200_000, dtype="float16"),), chunk=2)
    with (
        open_recording(write(tmp_path / "b.msgpack", wide, chunks=1)) as rec,
        pytest.raises(SummaryTooLargeError, match=r"1200000 units × 228; limit 268435456"),
    ):
        rec.summary("conv1")
