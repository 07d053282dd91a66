"""Models with the structure of well-known architectures, small and with random weights.

Each is written node by node as exporters write it. `all_architectures()` gives them by name.
"""

from . import audio, detection, language, quantized, tabular, vision  # noqa: F401
from .builder import Architecture, all_architectures  # noqa: F401
