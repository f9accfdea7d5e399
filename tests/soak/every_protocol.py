"""Every ready protocol, shortened, on every instrument that can hold it: what runs, and on which cell."""

from typing import NamedTuple

DRIVERS = ("biologic", "emstat4", "neware", "keithley2450", "keithley2400", "rack")
POTENTIOSTATS = ("biologic", "emstat4")
SOURCES = ("biologic", "emstat4", "keithley2450", "keithley2400", "rack")
"""Those that sweep a voltage; a cycler does not."""


class Shortened(NamedTuple):
    """A ready protocol with its cell, its variables, what the simulated cell is, and who can hold it."""

    cell: str
    simulated: str
    variables: str = "{}"
    drivers: tuple[str, ...] = DRIVERS


PROTOCOLS = {
    "ionic_conductivity": Shortened("ss_sep_ss_pp", "blocking/pp", drivers=POTENTIOSTATS),
    "transference_number": Shortened("li_sep_li_pp", "li_sep_li/pp", drivers=POTENTIOSTATS),
    "li_s_voltammetry": Shortened("li_s_pp", "li_s/pp", "{cycles: 1}", SOURCES),
    "li_cu_aurbach": Shortened("li_cu_pp", "li_cu/pp", "{cycles: 2}"),
    "li_cu_coulombic_efficiency": Shortened("li_cu_pp", "li_cu/pp", "{cycles: 3}"),
    "na_cu_coulombic_efficiency": Shortened("na_cu_pp", "na_cu/pp", "{current: 1 mA/cm2, cycles: 3}"),
    "li_li_symmetric": Shortened("li_li_pp", "li_li/pp", "{cycles: 3}"),
    "li_ion_cccv": Shortened("li_ion", "li_ion/generic", "{cycles: 2}"),
    "li_ion_pulses": Shortened("li_ion", "li_ion/generic"),
    "li_s_cycling": Shortened("li_s_pp", "li_s/pp", "{cycles: 2}"),
    "li_s_rate": Shortened("li_s_pp", "li_s/pp_rate", "{cycles: 2}"),
    "li_s_long_1c": Shortened("li_s_ti087o2", "li_s/ti087o2_1c", "{cycles: 2}"),
    "li_s_high_loading_2c": Shortened("li_s_high_loading", "li_s/ti087o2_2c", "{activation: 1, cycles: 2}"),
    "li_se_cycling": Shortened("li_se_pp", "li_se/pp", "{cycles: 2}"),
    "na_se_cycling": Shortened("na_se_pp", "na_se/pp", "{cycles: 2}"),
}


def bench() -> str:
    """Return a bench with one channel of every instrument, all as fast as they can go."""
    lines = [
        f"  {driver}: {{driver: {driver}, sample: 10 s, unattended: true, "
        "simulate: {cell: li_s/pp, speed: max}}"
        for driver in DRIVERS
    ]
    return "bench: one of each\ninstruments:\n" + "\n".join(lines) + "\n"


def study(protocols: tuple[str, ...] = tuple(PROTOCOLS)) -> str:
    """Return the study of every protocol on every driver that can hold it."""
    rows = [
        f"  - {{protocol: {name}, cell: {one.cell}, on: {driver}, variables: {one.variables}, "
        f"variants: {{{driver}: {{simulated: {one.simulated}}}}}}}"
        for name in protocols
        for one in [PROTOCOLS[name]]
        for driver in one.drivers
    ]
    return "study: every protocol on every instrument\nruns:\n" + "\n".join(rows) + "\n"
