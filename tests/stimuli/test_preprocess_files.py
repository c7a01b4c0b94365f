from __future__ import annotations

import json

import numpy as np
import pytest

from inspector.stimuli import (
    GUESSED,
    PRESETS,
    ModelInput,
    Preprocess,
    PreprocessError,
    choose_preprocess,
    find_preprocess,
    open_preprocess,
)

MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]

# As published beside the models, but for the keys that say nothing of preprocessing.
VIT = {
    "do_normalize": True,
    "do_rescale": True,
    "do_resize": True,
    "image_mean": [0.5, 0.5, 0.5],
    "image_processor_type": "ViTImageProcessor",
    "image_std": [0.5, 0.5, 0.5],
    "resample": 2,
    "rescale_factor": 0.00392156862745098,
    "size": {"height": 224, "width": 224},
}
OLD_VIT = {
    "do_normalize": True,
    "do_resize": True,
    "feature_extractor_type": "ViTFeatureExtractor",
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.5, 0.5, 0.5],
    "resample": 2,
    "size": 224,
}
CLIP = {
    "crop_size": 224,
    "do_center_crop": True,
    "do_normalize": True,
    "do_resize": True,
    "feature_extractor_type": "CLIPFeatureExtractor",
    "image_mean": [0.48145466, 0.4578275, 0.40821073],
    "image_std": [0.26862954, 0.26130258, 0.27577711],
    "resample": 3,
    "size": 224,
}
CONVNEXT = {
    "crop_pct": 0.875,
    "do_normalize": True,
    "do_resize": True,
    "feature_extractor_type": "ConvNextFeatureExtractor",
    "image_mean": MEAN,
    "image_std": STD,
    "resample": 3,
    "size": 224,
}
DINO = {
    "crop_size": {"height": 224, "width": 224},
    "do_center_crop": True,
    "do_convert_rgb": True,
    "do_normalize": True,
    "do_rescale": True,
    "do_resize": True,
    "image_mean": MEAN,
    "image_processor_type": "BitImageProcessor",
    "image_std": STD,
    "resample": 3,
    "rescale_factor": 0.00392156862745098,
    "size": {"shortest_edge": 256},
}
MOBILEVIT = {
    "crop_size": {"height": 256, "width": 256},
    "do_center_crop": True,
    "do_flip_channel_order": True,
    "do_rescale": True,
    "do_resize": True,
    "image_processor_type": "MobileViTImageProcessor",
    "resample": 2,
    "rescale_factor": 0.00392156862745098,
    "size": {"shortest_edge": 288},
}
EFFICIENTNET = {
    "do_center_crop": False,
    "do_normalize": True,
    "do_rescale": True,
    "do_resize": True,
    "image_mean": MEAN,
    "image_processor_type": "EfficientNetImageProcessor",
    "image_std": [0.47853944, 0.4732864, 0.47434163],
    "include_top": True,
    "resample": 0,
    "rescale_factor": 0.00392156862745098,
    "rescale_offset": False,
    "size": {"height": 224, "width": 224},
}
TIMM = {
    "architecture": "vit_tiny_patch16_224",
    "num_classes": 1000,
    "pretrained_cfg": {
        "tag": "augreg_in21k_ft_in1k",
        "input_size": [3, 224, 224],
        "fixed_input_size": True,
        "interpolation": "bicubic",
        "crop_pct": 0.9,
        "crop_mode": "center",
        "mean": [0.5, 0.5, 0.5],
        "std": [0.5, 0.5, 0.5],
        "num_classes": 1000,
    },
}
HALF = (0.5, 0.5, 0.5)
IMAGENET = {"mean": tuple(MEAN), "std": tuple(STD)}


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (VIT, Preprocess(mean=HALF, std=HALF, size=(224, 224))),
        (OLD_VIT, Preprocess(mean=HALF, std=HALF, size=(224, 224))),
        (
            CLIP,
            Preprocess(
                mean=PRESETS["clip"].mean,
                std=PRESETS["clip"].std,
                short_side=224,
                crop=224,
                resample="bicubic",
            ),
        ),
        (CONVNEXT, Preprocess(short_side=256, crop=224, resample="bicubic", **IMAGENET)),
        (
            {**CONVNEXT, "size": {"shortest_edge": 384}},
            Preprocess(size=(384, 384), resample="bicubic", **IMAGENET),
        ),
        (DINO, Preprocess(short_side=256, crop=224, resample="bicubic", **IMAGENET)),
        (
            {"image_processor": DINO},
            Preprocess(short_side=256, crop=224, resample="bicubic", **IMAGENET),
        ),
        (MOBILEVIT, Preprocess(short_side=288, crop=256, order="bgr")),
        (
            EFFICIENTNET,
            Preprocess(
                mean=tuple(MEAN),
                std=tuple(s * s for s in EFFICIENTNET["image_std"]),
                size=(224, 224),
                resample="nearest",
            ),
        ),
        (
            {
                **EFFICIENTNET,
                "rescale_factor": 1 / 127.5,
                "rescale_offset": True,
                "do_normalize": False,
            },
            Preprocess("signed", size=(224, 224), resample="nearest"),
        ),
        (
            TIMM,
            Preprocess(
                mean=HALF, std=HALF, short_side=248, crop=224, resample="bicubic", centre="round"
            ),
        ),
        (
            {**TIMM["pretrained_cfg"], "crop_pct": 1.0, "crop_mode": "squash"},
            Preprocess(
                mean=HALF, std=HALF, size=(224, 224), crop=224, resample="bicubic", centre="round"
            ),
        ),
    ],
)
def test_configurations_as_published(tmp_path, config, expected):
    path = tmp_path / "any.json"
    path.write_text(json.dumps(config))
    assert open_preprocess(str(path)) == expected


def test_other_factors_are_folded_into_mean_and_deviation():
    from inspector.stimuli.preprocess_files import read_config

    steps = read_config({**VIT, "rescale_factor": 0.01})
    pixels = np.array([0.0, 100.0, 255.0])
    assert steps.scale == "raw"
    expected = (pixels * 0.01 - 0.5) / 0.5
    assert (pixels - steps.mean[0]) / steps.std[0] == pytest.approx(expected)
    unscaled = read_config({**VIT, "do_rescale": False})
    assert (unscaled.scale, unscaled.mean, unscaled.std) == ("raw", HALF, HALF)


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({**VIT, "do_pad": True}, "do_pad"),
        ({**VIT, "resample": 9}, "resample 9"),
        ({**VIT, "size": {"longest_edge": 800}}, "longest_edge"),
        ({**VIT, "size": "big"}, "size 'big'"),
        ({**VIT, "size": {"height": float("inf"), "width": 3}}, "whole pixels"),
        ({**VIT, "image_mean": [0.5, 0.5]}, "image_mean"),
        ({**VIT, "image_mean": [0.5, "x", 0.5]}, "image_mean"),
        ({**VIT, "image_std": [0, 1, 1]}, "must not hold 0"),
        ({**VIT, "rescale_factor": 0}, "rescale_factor"),
        ({**VIT, "size": {"height": 10**9, "width": 3}}, "1 to 65535"),
        ({**TIMM["pretrained_cfg"], "input_size": [3, 224, 160]}, "square"),
        ({**TIMM["pretrained_cfg"], "crop_mode": "border"}, "crop_mode"),
        ({**TIMM["pretrained_cfg"], "crop_pct": 7}, "crop_pct"),
        ({**TIMM["pretrained_cfg"], "interpolation": "magic"}, "resample 'magic'"),
        ({**TIMM["pretrained_cfg"], "interpolation": 3}, "names"),
        ({**TIMM["pretrained_cfg"], "mean": 0.5}, "mean"),
        ([1, 2], "list"),
    ],
)
def test_what_is_not_understood_is_never_guessed(tmp_path, config, reason):
    path = tmp_path / "preprocessor_config.json"
    path.write_text(json.dumps(config))
    with pytest.raises(PreprocessError, match=reason) as error:
        open_preprocess(str(path))
    assert "\n" not in str(error.value)
    with pytest.raises(PreprocessError, match="preprocessor_config"):
        find_preprocess(tmp_path / "net.onnx")


def test_the_nearest_file_beside_the_model_is_taken(tmp_path):
    folder = tmp_path / "onnx"
    folder.mkdir()
    model = folder / "net.onnx"
    assert find_preprocess(model) is None
    (tmp_path / "config.json").write_text(json.dumps({"architectures": ["ResNet"], "id2label": {}}))
    assert find_preprocess(model) is None
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(VIT))
    assert find_preprocess(model)[1] == tmp_path / "preprocessor_config.json"
    (folder / "config.json").write_text(json.dumps(TIMM))
    assert find_preprocess(model)[0].short_side == 248
    (folder / "net.preprocess.json").write_text(json.dumps({"scale": "signed"}))
    (folder / "other.preprocess.json").write_text("broken")
    assert find_preprocess(model)[0].scale == "signed"


def test_only_a_folder_named_onnx_looks_above(tmp_path):
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(VIT))
    (tmp_path / "models").mkdir()
    assert find_preprocess(tmp_path / "models" / "net.onnx") is None


def test_the_file_beside_the_model_comes_before_the_guess(tmp_path):
    wanted = ModelInput(np.dtype(np.float32), (3, 224, 224))
    image = np.zeros((9, 9, 3), np.uint8)
    model = tmp_path / "net.onnx"
    assert choose_preprocess(None, {}, wanted, image, False, model)[1] == GUESSED
    (tmp_path / "config.json").write_text(json.dumps(TIMM))
    steps, reason = choose_preprocess(None, {}, wanted, image, False, model)
    assert steps.short_side == 248
    assert reason == "from config.json beside the model"
    ready = np.zeros((3, 224, 224), np.float32)
    assert choose_preprocess(None, {}, wanted, ready, True, model)[0].scale == "none"
    assert choose_preprocess(steps, {}, wanted, ready, True)[0] is steps


@pytest.mark.parametrize("content", ["[" * 100_000, "{", '{"scale": "unit", "crop": true}', "\xff"])
def test_hostile_files(tmp_path, content):
    path = tmp_path / "p.json"
    path.write_text(content, encoding="latin-1")
    with pytest.raises(PreprocessError):
        open_preprocess(str(path))


def test_a_file_of_gigabytes_is_not_read(tmp_path):
    path = tmp_path / "p.json"
    with path.open("wb") as file:
        file.truncate(8 << 30)
    with pytest.raises(PreprocessError, match="bytes"):
        open_preprocess(str(path))
