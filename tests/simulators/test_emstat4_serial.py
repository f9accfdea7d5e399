"""The simulated EmStat4 on a real serial port: pyserial on one end of a pseudo-terminal."""

import asyncio
import math

import serial

from simulators.emstat4 import EmStat4
from tests.simulators.emstat4_bench import LinearCell, packages, unindented

HOLD = unindented("""
    var e
    var i
    set_pgstat_mode 6
    set_range db 100m
    cell_on
    meas_loop_cp e i 10m 1 2k
        pck_start
        pck_add e
        pck_add i
        pck_end
    endloop
    on_finished:
    cell_off
""")


def conversation(path: str) -> tuple[bytes, bytes]:
    """Ask who is there, then run a script of two thousand points; return both answers."""
    with serial.Serial(path, 921600, timeout=60, exclusive=True) as port:
        port.write(b"t\n")
        identity = port.read_until(b"*\n")
        port.write(f"e\n{HOLD}\n\n".encode())
        return identity, port.read_until(b"\n\n")


def departure(path: str) -> None:
    """Start the script and leave in the middle of a line."""
    with serial.Serial(path, 921600, timeout=60) as port:
        port.write(f"e\n{HOLD}\n\n".encode())
        port.read(100)


def return_to_idle(path: str) -> bytes:
    """Recover as the vendor says; return the answer to the next question."""
    with serial.Serial(path, 921600, timeout=60) as port:
        port.write(b"\nZ\n")
        while (line := port.readline()) and not line.startswith(b"Z"):
            pass
        if line == b"Z\n":
            while port.readline() not in (b"\n", b""):
                pass
        port.write(b"i\n")
        return port.readline()


async def test_pyserial_gets_every_point() -> None:
    async with EmStat4.serve(cell=LinearCell(), speed=math.inf, seed=7) as served:
        identity, said = await asyncio.to_thread(conversation, served.address)
    assert identity.startswith(b"tes4_hr")
    assert said.startswith(b"e\nM0008\n")
    assert len(packages(said.decode("ascii").splitlines())) == 2_000


async def test_a_host_may_leave_and_come_back() -> None:
    cell = LinearCell()
    async with EmStat4.serve(cell=cell, speed=1e6, seed=7) as served:
        await asyncio.to_thread(departure, served.address)
        assert await asyncio.to_thread(return_to_idle, served.address) == b"iES4HR00000007\n"
    assert 0.0 < cell.charge_passed() <= 20.0 + 1e-9
