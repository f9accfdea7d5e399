"""The wires an instrument can be served on, by the words people use for them."""

from collections.abc import Callable

from simulators.conversation import Converse
from simulators.hislip import HislipPort
from simulators.ports import Port, PtyPort, SocketPort, TcpPort
from simulators.vxi11 import Vxi11Port
from simulators.wired import Wired

PORTS: dict[str, Callable[[Converse, int], Port]] = {
    "tcp": TcpPort,
    "socket": SocketPort,
    "hislip": HislipPort,
    "vxi11": Vxi11Port,
}
"""By what a class calls its wire: "tcp" is VISA's socket, "socket" one that clients open by themselves."""


def port_of(name: str, wire: str, converse: Converse, port: int | None) -> Port:
    """Return the port of an instrument on its wire; `port` is of TCP, None a free one."""
    if wire in PORTS:
        return PORTS[wire](converse, port or 0)
    if port is not None:
        raise ValueError(f"port {port} seen, wanted none: {name} talks on a pseudo-terminal")
    return PtyPort(converse, name)


def wire_of(instrument_class: type[Wired], wanted: str | None) -> str:
    """Return the wire that is meant by socket, serial, hislip or vxi11; None is the usual one.

    Raises `ValueError` naming those there are.
    """
    usual = "serial" if instrument_class.wire == "pty" else "socket"
    if wanted in (None, usual):
        return instrument_class.wire
    if wanted not in instrument_class.other_wires:
        known = ", ".join((usual, *instrument_class.other_wires))
        raise ValueError(f"wire {wanted!r} seen, wanted one of a {instrument_class.name}: {known}")
    return {"serial": "pty", "socket": "tcp"}.get(wanted, wanted)
