"""A graph as tables in Apache Spark: planned in parts of bounded size, each expanded where it runs.

Example:
    >>> from onnx2graphml.spark import register  # doctest: +SKIP
    >>> register(spark)  # doctest: +SKIP
    >>> edges = spark.read.format("onnx2graphml").option("path", "vgg16.onnx").load()  # doctest: +SKIP
    >>> edges.groupBy("layer").count().show()  # doctest: +SKIP
"""

from onnx2graphml.spark.source import NeuronGraphSource, register

__all__ = ["NeuronGraphSource", "register"]
