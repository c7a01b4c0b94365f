from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy import stats

import inspector
from inspector.comparison import (
    DifferentModelsError,
    NoCommonCategoriesError,
    SameNameError,
    SignedLayerError,
    compare_scores,
    layer_tuning,
)


def independent_scores(ind, ood, layer, reduction, rectify):
    """F2 and F4 one unit at a time, on the recorded arrays, with scipy."""
    a = np.asarray(ind.activity(layer, reduction)[:], float)
    b = np.asarray(ood.activity(layer, reduction)[:], float)
    if rectify:
        a, b = np.maximum(a, 0), np.maximum(b, 0)
    shared = sorted(set(ind.labels.tolist()) & set(ood.labels.tolist()) - {-1})
    spurious, novelty = [], []
    for unit in range(a.shape[1]):
        top = np.nanmax(a[:, unit])
        with np.errstate(invalid="ignore", divide="ignore"):
            y_ind = [np.nanmean(a[ind.labels == c, unit]) / top for c in shared]
            y_ood = [np.nanmean(b[ood.labels == c, unit]) / top for c in shared]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            rho = stats.spearmanr(y_ind, y_ood).statistic if top > 0 else np.nan
        spurious.append(1 - abs(rho))
        novelty.append(max(y_ind) - max(y_ood) if top > 0 else np.nan)
    return np.array(spurious), np.array(novelty)


@pytest.fixture
def pair(tiny_model, make_data, tmp_path):
    made = []
    for name, seed, shift in (("ind", 1, 0.0), ("ood", 2, 0.3)):
        data, _, _ = make_data(name, 60, seed, shift)
        made.append(inspector.record(tiny_model, data, tmp_path / f"{name}.msgpack", chunk=32))
    yield made
    for recording in made:
        recording.close()


def test_scores_equal_scipy_on_the_recorded_arrays(pair):
    ind, ood = pair
    scores = compare_scores(ind, ood)
    assert len(scores.layers) == len(ind.layers)
    for name, layer in scores.layers.items():
        rectify = ind.layer(name).kind == "vector" and ind.layer(name).signed
        expected = independent_scores(ind, ood, name, layer.reduction, rectify)
        result = layer.ood["ood"]
        assert result.categories == 3
        assert result.spurious == pytest.approx(expected[0], abs=1e-6, nan_ok=True)
        assert result.novelty == pytest.approx(expected[1], abs=1e-6, nan_ok=True)
        assert np.isfinite(result.spurious).any()


def test_a_recording_against_a_copy_of_itself(pair, tiny_model, make_data, tmp_path):
    data, _, _ = make_data("ind", 60, 1, 0.0)
    with inspector.record(tiny_model, data, tmp_path / "again.msgpack", name="again") as again:
        result = compare_scores(pair[0], again)["relu1"].ood["again"]
    assert result.spurious == pytest.approx(0)
    assert result.novelty == pytest.approx(0)
    assert result.rho == pytest.approx(1)


def test_one_name_twice(pair):
    with pytest.raises(SameNameError, match="--name"):
        compare_scores(pair[0], [pair[1], pair[1]])


def test_another_model(pair, make_model, make_data, tmp_path):
    data, _, _ = make_data("other")
    with (
        inspector.record(make_model(seed=5), data, tmp_path / "other.msgpack") as other,
        pytest.raises(DifferentModelsError, match="same model file"),
    ):
        compare_scores(pair[0], other)


def test_no_ground_truth(pair, tiny_model, tmp_path):
    np.savez(tmp_path / "bare.npz", images=np.zeros((4, 3, 8, 8), np.float32))
    with (
        inspector.record(tiny_model, tmp_path / "bare.npz", tmp_path / "bare.msgpack") as bare,
        pytest.raises(NoCommonCategoriesError, match="ground truth"),
    ):
        compare_scores(pair[0], bare)


def test_categories_that_one_set_lacks_are_named(pair, tiny_model, make_data, tmp_path):
    _, images, labels = make_data("few")
    np.savez(tmp_path / "few.npz", images=images, labels=np.where(labels == 1, -1, labels))
    with inspector.record(tiny_model, tmp_path / "few.npz", tmp_path / "few.msgpack") as few:
        result = compare_scores(pair[0], few, layer="relu1")["relu1"].ood["few"]
    assert result.dropped == ("bee",)
    assert result.categories == 2
    assert np.isnan(result.spurious).all()
    assert np.isfinite(result.novelty).all()


def test_an_unknown_layer_shows_the_nearest(pair):
    with pytest.raises(inspector.InspectorError, match="relu1"):
        compare_scores(*pair, layer="relu_1")


def test_a_signed_map_needs_relu_mean(tiny_model, make_data, tmp_path):
    made = []
    for name in ("a", "b"):
        data, _, _ = make_data(name, 30)
        made.append(
            inspector.record(
                tiny_model, data, tmp_path / f"{name}.msgpack", layers="all", reduce="mean"
            )
        )
    signed = next(layer for layer in made[0].layers if layer.kind == "conv" and layer.signed)
    with pytest.raises(SignedLayerError, match="--reduce relu_mean"):
        compare_scores(*made, layer=signed.name)
    scores = compare_scores(*made)
    assert signed.name in scores.left_out
    assert signed.name not in scores.layers
    for recording in made:
        recording.close()


def test_the_logits_stay_raw(pair):
    ind, _ = pair
    logits = next(layer for layer in ind.layers if layer.kind == "logits")
    tuning = layer_tuning(ind, logits, None)
    assert tuning.signed
    assert tuning.means[:, 0] == pytest.approx(
        ind.logits[:][ind.labels == 0].astype(float).mean(0), abs=1e-6
    )


def test_the_plain_form_is_json(pair):
    import json

    plain = compare_scores(*pair, layer="relu1").as_dict()
    read = json.loads(json.dumps(plain, allow_nan=False))
    assert read["ind"] == "ind"
    entry = read["layers"]["relu1"]
    assert entry["unit"] == [0, 1, 2, 3]
    assert set(entry["ood"]["ood"]) >= {"spurious", "novelty", "rho", "categories"}
    assert len(entry["ood"]["ood"]["spurious"]) == 4
