from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from inspector.analysis import CategorySums

values = arrays(
    np.float32,
    (3, 12),
    elements=st.one_of(st.floats(-4, 4, width=32), st.sampled_from([np.nan, np.inf, -np.inf])),
)
labels = arrays(np.int32, 12, elements=st.integers(-1, 3))


@given(values=values, labels=labels, cut=st.integers(0, 12), rectify=st.booleans())
def test_any_split_equals_plain_means(values, labels, cut, rectify):
    sums = CategorySums(3, 5, rectify=rectify)
    sums.add(values[:, :cut], labels[:cut])
    sums.add(values[:, cut:], labels[cut:])
    for unit in range(3):
        finite = np.isfinite(values[unit])
        seen = values[unit].astype(float)
        if finite.any():
            assert sums.minimum[unit] == seen[finite].min()
        seen = np.maximum(seen, 0) if rectify else seen
        assert sums.maximum[unit] == pytest.approx(
            seen[finite].max() if finite.any() else np.nan, nan_ok=True
        )
        for category in range(5):
            chosen = seen[finite & (labels == category)]
            expected = chosen.mean() if len(chosen) else np.nan
            assert sums.means[unit, category] == pytest.approx(expected, nan_ok=True)


def test_nothing_added():
    sums = CategorySums(2, 3)
    assert np.isnan(sums.means).all()
    assert np.isnan(sums.maximum).all()
