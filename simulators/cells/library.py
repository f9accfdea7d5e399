"""Every simulated cell by its name, `kind/variant`, and by the sizes written after it."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from random import Random
from typing import Any

from simulators.cells.base import Cell
from simulators.cells.blocking import BLOCKING, Blocking
from simulators.cells.li_cu import LI_CU, NA_CU, LiCu, LiCuParameters
from simulators.cells.li_ion import LI_ION, LiIon
from simulators.cells.li_li import LI_LI, LiLi
from simulators.cells.li_s import LiS, LiSParameters
from simulators.cells.li_s_sets import LI_S, LI_SE, NA_SE
from simulators.cells.li_sep_li import LI_SEP_LI, LiSepLi
from simulators.cells.soft_short import SoftShort
from simulators.cells.supercapacitor import SUPERCAPACITOR, Supercapacitor
from simulators.cells.units import MAH

PYBAMM: Mapping[str, str] = {"spm": "SPM", "spme": "SPMe", "dfn": "DFN"}
"""The models of PyBaMM by the names of the cells."""

_CAPACITY_SCATTER = 0.01  # relative, where the source gives none
_RESISTANCE_SCATTER = 0.05

Build = Callable[..., Cell]


def make_cell(name: str, seed: int = 0, **options: Any) -> Cell:
    """Return the cell called `kind/variant`; a bare kind means its first variant, `pp` or `generic`.

    Without options it has exactly the stated parameters, and the seed drives only what differs
    from cycle to cycle. `scatter=True` draws a replicate: conductivity and transference number
    with the source's standard deviations, capacities with 1 % and resistances with 5 %. Other
    options, in SI: any field of the kind's parameters (`area`, `active_mass`, `thickness`, ...),
    and `offset` (blocking, li_sep_li), `true_transference` (li_sep_li), `precondition` (li_s, li_se,
    na_se), `short_hazard` per mAh/cm2 and `short_resistance` (li_li), `state_of_charge` and
    `ambient` and `scale` (li_ion), `state_of_charge` and `capacity` (pybamm). Numbers among them may
    be written after the name, so that whoever can only name a cell can size one as well:
    "li_s/pp area=2e-4 active_mass=3e-6". Raises ValueError for an unknown name or a size that cannot
    be, TypeError for an unknown option.
    """
    name, *words = name.split(" ")
    kind, _, variant = name.partition("/")
    if kind not in _KINDS or (variant and variant not in _KINDS[kind][1]):
        raise ValueError(f"no simulated cell is called {name!r}; known: {', '.join(cell_names())}")
    build, variants = _KINDS[kind]
    sizes = dict(_size(name, word, SIZES[kind]) for word in words if word)
    return build(kind, variant or next(iter(variants)), seed, **sizes, **options)


def _size(name: str, word: str, known: Sequence[str]) -> tuple[str, float]:
    """Read one `option=number` behind a cell's name; the number is in SI and above zero."""
    option, sign, written = word.partition("=")
    try:
        number = float(written)
    except ValueError:
        number = math.nan
    if option not in known or not sign or not 0.0 < number < math.inf:
        wanted = ", ".join(f"{each}=number" for each in known) or "nothing"
        raise ValueError(f"cell {name}: {word!r} after its name; wanted {wanted} in SI units, above 0")
    return option, number


def cell_names() -> list[str]:
    """Return every full name; those of PyBaMM only where it is installed."""
    return [
        f"{kind}/{variant}"
        for kind, (_, variants) in _KINDS.items()
        for variant in variants
        if kind != "pybamm" or find_spec("pybamm") is not None
    ]


def _blocking(
    kind: str, variant: str, seed: int, scatter: bool = False, offset: float = 0.0, **fields: float
) -> Cell:
    p = replace(BLOCKING[variant], **fields)
    if scatter:
        p = replace(p, conductivity=_near(kind, variant, seed, p.conductivity, p.deviation))
    return Blocking(p, variant, offset)


def _li_sep_li(
    kind: str,
    variant: str,
    seed: int,
    scatter: bool = False,
    offset: float = 0.0,
    true_transference: bool = False,
    **fields: float,
) -> Cell:
    p = replace(LI_SEP_LI[variant], **fields)
    if scatter:
        p = replace(p, ratio=min(0.95, _near(kind, variant, seed, p.ratio, p.deviation)))
    return LiSepLi(p, variant, offset, true_transference)


def _metal_on_copper(sets: Mapping[str, LiCuParameters]) -> Build:
    def build(kind: str, variant: str, seed: int, scatter: bool = False, **fields: Any) -> Cell:
        p = replace(sets[variant], **fields)
        if scatter:
            sd = _RESISTANCE_SCATTER * p.film_resistance
            p = replace(p, film_resistance=_near(kind, variant, seed, p.film_resistance, sd))
        return LiCu(p, kind, variant, seed)

    return build


def _li_li(
    kind: str,
    variant: str,
    seed: int,
    scatter: bool = False,
    short_hazard: float = 0.0,
    short_resistance: float = 30.0,
    **fields: float,
) -> Cell:
    p = replace(LI_LI[variant], **fields)
    if scatter:
        sd = _RESISTANCE_SCATTER * p.film_resistance
        p = replace(p, film_resistance=_near(kind, variant, seed, p.film_resistance, sd))
    return LiLi(p, variant, SoftShort.drawn(short_hazard, short_resistance, seed))


def _chalcogen(sets: Mapping[str, LiSParameters]) -> Build:
    def build(
        kind: str,
        variant: str,
        seed: int,
        scatter: bool = False,
        precondition: float | None = None,
        **fields: float,
    ) -> Cell:
        p = replace(sets[variant], **fields)
        if scatter:
            p = replace(p, capacity=_near(kind, variant, seed, p.capacity, _CAPACITY_SCATTER * p.capacity))
        return LiS(p, kind, variant, precondition)

    return build


def _li_ion(
    kind: str,
    variant: str,
    seed: int,
    scatter: bool = False,
    state_of_charge: float = 0.5,
    ambient: float = 25.0,
    scale: float = 1.0,
    **fields: Any,
) -> Cell:
    p = replace(LI_ION[variant], **fields).scaled(scale)
    if scatter:
        p = replace(p, capacity=_near(kind, variant, seed, p.capacity, _CAPACITY_SCATTER * p.capacity))
    return LiIon(p, variant, state_of_charge, ambient)


def _supercapacitor(kind: str, variant: str, seed: int, scatter: bool = False, **fields: float) -> Cell:
    p = replace(SUPERCAPACITOR[variant], **fields)
    if scatter:
        sd = _CAPACITY_SCATTER * p.capacitance
        p = replace(p, capacitance=_near(kind, variant, seed, p.capacitance, sd))
    return Supercapacitor(p, variant)


def _pybamm(kind: str, variant: str, seed: int, scatter: bool = False, **fields: float) -> Cell:
    try:
        from simulators.cells.pybamm_cell import PybammCell  # 7 seconds
    except ModuleNotFoundError as error:
        raise ValueError(f"the cell {kind}/{variant} needs PyBaMM: pip install 'galvanod[pybamm]'") from error
    if scatter:
        mean = fields.get("capacity", 3.0 * MAH)
        fields["capacity"] = _near(kind, variant, seed, mean, _CAPACITY_SCATTER * mean)
    return PybammCell(PYBAMM[variant], **fields)


def _near(kind: str, variant: str, seed: int, mean: float, deviation: float) -> float:
    """Return a replicate's value: normal, but never below a tenth of the mean."""
    return max(0.1 * mean, Random(f"{kind}/{variant}/{seed}").gauss(mean, deviation))


SIZES: Mapping[str, Sequence[str]] = {
    "blocking": ("area", "thickness"),
    "li_sep_li": ("area", "thickness", "interfacial_resistance"),
    "li_cu": ("area",),
    "na_cu": ("area",),
    "li_li": ("area", "short_hazard", "short_resistance"),
    "li_s": ("area", "active_mass", "capacity"),
    "li_se": ("area", "active_mass", "capacity"),
    "na_se": ("area", "active_mass", "capacity"),
    "li_ion": ("scale", "state_of_charge"),
    "supercapacitor": ("capacitance", "resistance", "voltage"),
    "pybamm": ("capacity", "state_of_charge"),
}
"""The numbers that may be written after a cell's name."""

_KINDS: Mapping[str, tuple[Build, Mapping[str, Any]]] = {
    "blocking": (_blocking, BLOCKING),
    "li_sep_li": (_li_sep_li, LI_SEP_LI),
    "li_cu": (_metal_on_copper(LI_CU), LI_CU),
    "na_cu": (_metal_on_copper(NA_CU), NA_CU),
    "li_li": (_li_li, LI_LI),
    "li_s": (_chalcogen(LI_S), LI_S),
    "li_se": (_chalcogen(LI_SE), LI_SE),
    "na_se": (_chalcogen(NA_SE), NA_SE),
    "li_ion": (_li_ion, LI_ION),
    "supercapacitor": (_supercapacitor, SUPERCAPACITOR),
    "pybamm": (_pybamm, PYBAMM),
}
