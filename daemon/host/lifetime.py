"""How a process of the service lives: until it is told to stop, and then in good order."""

import asyncio
import contextlib
import ctypes
import faulthandler
import gc
import json
import logging
import os
import signal
import sys
from collections.abc import Coroutine, Mapping
from typing import Any

import uvloop

STARTER = "GALVANOD_STARTER"
"""The environment variable in which `up` tells its processes who started them."""

YOUNG = 50_000
"""Objects made before Python looks for cycles among them. At its usual 700 that was 15 % of the core's work
and 20 % of the recorder's on long pages of readings, none of which is ever part of a cycle."""

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def until_told(main: Coroutine[Any, Any, None]) -> None:
    """Run `main` on uvloop (half the cost of the standard loop per reading).

    Where the supervisor aborts a process that hangs, every thread's stack goes to standard error.
    """
    faulthandler.enable()
    _end_with_whoever_started_us()
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    gc.set_threshold(YOUNG)
    uvloop.run(main)


def _end_with_whoever_started_us() -> None:
    """Let the kernel tell us to stop when `up` is gone, however it went (Linux; elsewhere we live on)."""
    starter = os.environ.get(STARTER)
    if starter is None or not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != int(starter):  # it went before the kernel knew
        os.kill(os.getpid(), signal.SIGTERM)


def stay_prompt() -> None:
    """Keep Python itself from making a reading wait, once everything that stays has been made.

    What stays is taken out of the collector's sight, whose full rounds would take tens of milliseconds;
    a thread that computes, such as one that plans a protocol, gives way after half a millisecond.
    """
    gc.collect()
    gc.freeze()
    sys.setswitchinterval(5e-4)


def told_to_stop() -> asyncio.Event:
    """Return an event that is set by SIGTERM or SIGINT."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    return stopped


async def until_stopped(work: Coroutine[Any, Any, None]) -> None:
    """Do `work` until it ends or the process is told to stop, which cancels it."""
    task = asyncio.ensure_future(work)
    stopping = asyncio.ensure_future(told_to_stop().wait())
    await asyncio.wait({task, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def say(facts: Mapping[str, Any]) -> None:
    """Print one line of JSON now, for whoever started this process."""
    print(json.dumps(facts), flush=True)
