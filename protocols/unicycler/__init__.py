"""Protocols of aurora-unicycler, in and out: its loops are jumps, ours are nested."""

from protocols.unicycler.reading import Translated, is_unicycler, to_yaml
from protocols.unicycler.writing import from_plan

__all__ = ["Translated", "from_plan", "is_unicycler", "to_yaml"]
