from __future__ import annotations

import cv2
import numpy as np
import pytest

from inspector.recording.thumbnails import (
    JPEG,
    JPEG_QUALITY,
    ThumbnailEncoder,
    decode_thumbnail,
    encode_thumbnail,
)


def encoded(images):
    with ThumbnailEncoder(images) as encoder:
        data, table = encoder.result()
    begin, parts = 0, []
    for end, _, height, width, code in table.reshape(-1, 5):
        parts.append((data[begin:end].tobytes(), int(height), int(width), int(code)))
        begin = end
    return parts


def pictures(count, height, width):
    rng = np.random.default_rng(height * width)
    noise = rng.integers(0, 256, (count, height, width, 3), dtype=np.uint8)
    return [cv2.GaussianBlur(image, (5, 5), 1.0) for image in noise]


@pytest.mark.parametrize(
    ("height", "width"),
    [(64, 64), (48, 64), (64, 43), (43, 64), (16, 33), (128, 128), (144, 20), (33, 33), (32, 34)],
)
def test_a_thumbnail_is_encoded_as_if_alone(height, width):
    images = pictures(70, height, width)
    for image, (data, *size, code) in zip(images, encoded(images), strict=True):
        pixels = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
        alone = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1]
        assert data == alone.tobytes()
        assert (*size, code) == (height, width, JPEG)
        assert np.abs(decode_thumbnail(data, *size, code).astype(int) - image).mean() < 8


def test_mixed_thumbnails_keep_their_order():
    images = [*pictures(20, 64, 64), *pictures(5, 48, 64), *pictures(20, 64, 64)]
    images += [np.zeros((0, 0, 3), np.uint8), images[0][:, :, 0], images[0][:, :, :1]]
    images += [image[:, ::-1] for image in images[:40]]  # views of other arrays
    parts = encoded(images)
    assert [(part[0], part[3]) for part in parts] == [encode_thumbnail(image) for image in images]


def test_thumbnails_as_one_array():
    images = np.stack(pictures(40, 64, 48))
    assert encoded(images) == encoded(list(images))


def test_what_is_no_thumbnail_is_refused():
    for wrong in (np.zeros((64, 64, 4), np.uint8), np.zeros((64, 64, 3), np.float32)):
        with pytest.raises(ValueError, match="a thumbnail is uint8"):
            encoded([*pictures(40, 64, 64), wrong])


def test_no_thumbnails():
    assert encoded([]) == []
