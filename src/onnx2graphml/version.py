"""The version, which the package's metadata has from here: to look it up there takes longer than reading a model."""

VERSION = "0.1.0"
