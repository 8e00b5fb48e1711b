"""`keras.layers`, pictures made different for training: in a prediction, these layers do nothing."""

from __future__ import annotations

from onnx2graphml.frontends.direct.call import Call
from onnx2graphml.frontends.direct.registry import layer
from onnx2graphml.frontends.direct.values import Value

OPTIONS = (
    *("addition_factor", "all_ops", "alpha", "brightness_factor", "chain_depth", "contrast_factor", "data_format"),
    *(
        "factor",
        "fill_mode",
        "fill_value",
        "height",
        "height_factor",
        "hue_factor",
        "interpolation",
        "kernel_size",
        "max_number",
    ),
    *("mode", "num_chains", "num_ops", "saturation_factor", "scale", "seed", "sigma", "threshold_factor"),
    *("value_range", "width", "width_factor", "x_factor", "y_factor"),
)


@layer(
    *("AugMix", "CutMix", "MaxNumBoundingBoxes", "MixUp", "RandAugment", "RandomBrightness", "RandomColorDegeneration"),
    *("RandomColorJitter", "RandomContrast", "RandomCrop", "RandomElasticTransform", "RandomErasing", "RandomFlip"),
    *("RandomGaussianBlur", "RandomGrayscale", "RandomHue", "RandomInvert", "RandomPerspective", "RandomPosterization"),
    *("RandomRotation", "RandomSaturation", "RandomSharpness", "RandomShear", "RandomTranslation", "RandomZoom"),
    "Solarization",
    takes=dict.fromkeys(OPTIONS),
    whole=True,
)
def Augmentation(call: Call, x: Value) -> Value:
    """The same: pictures are changed in training alone."""
    return x
