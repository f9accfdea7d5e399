"""A Bio-Logic potentiostat behind EClib, and EClib itself, simulated."""

from simulators.biologic.chassis import BioLogic, BioLogicSP300

__all__ = ["BioLogic", "BioLogicSP300"]
