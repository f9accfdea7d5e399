"""A simulated rack: many source-measure channels behind one socket, read with one question."""

from simulators.rack.mainframe import Rack

__all__ = ["Rack"]
