"""`demo`: the reference experiment, rehearsed."""

from daemon.commands.options import Json, State


def demo(state: State, json_: Json = False) -> None:
    """demo"""
