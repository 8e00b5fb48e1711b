"""What no graph of neurons has: operators that are refused whatever their inputs, and why."""

from __future__ import annotations

RANDOM = "draws random numbers, so that no two predictions are the same: export the network without it"
DATA = "has an output whose shape depends on the data; a graph has as many neurons as there are numbers: leave it out"
STRINGS = "works on strings; neurons are numbers: export the network behind it"
SEQUENCES = "works on sequences, whose length is none of a tensor's; neurons are the numbers of tensors"
OPTIONALS = "works on optionals, which may hold nothing; neurons are numbers"
MAPS = "works on maps; neurons are the numbers of tensors: export the network without it"
FILES = "reads a file's bytes as a picture, whose shape depends on the data: export the network behind it"
TRAINING = "trains: it changes weights; export the network for inference"

PREFIXES = {"Random": RANDOM, "Bernoulli": RANDOM, "Multinomial": RANDOM, "Sequence": SEQUENCES, "Optional": OPTIONALS}
PREFIXES |= {"String": STRINGS}
OPERATORS = {
    **dict.fromkeys(("NonZero", "NonMaxSuppression", "Unique", "Range", "ConstantOfShape", "MelWeightMatrix"), DATA),
    **dict.fromkeys(("RegexFullMatch", "CategoryMapper"), STRINGS),
    **dict.fromkeys(("SplitToSequence", "ConcatFromSequence"), SEQUENCES),
    **dict.fromkeys(("CastMap", "DictVectorizer", "ZipMap"), MAPS),
    "ImageDecoder": FILES,
}
TRAINS = ("ai.onnx.preview.training", "ai.onnx.training")


def beyond(op: str, domain: str) -> str | None:
    """Why an operator is none of a fixed network's; None where it is not known to be.

    Example:
        >>> beyond("NonZero", "").split(";")[0], beyond("Conv", "")
        ('has an output whose shape depends on the data', None)
    """
    if domain in TRAINS:
        return TRAINING
    return OPERATORS.get(op) or next((why for prefix, why in PREFIXES.items() if op.startswith(prefix)), None)
