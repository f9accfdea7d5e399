"""What a maker's name of a step means in our verbs."""

import re
from functools import lru_cache
from typing import NamedTuple


class Kind(NamedTuple):
    """A verb, "" where the name does not say one, and the direction of the current it names, else 0."""

    verb: str
    direction: int


_REST = re.compile(r"^(rest|ocv|pause|idle|relax|r|o|s|p)$|^rest|open.?circuit")
_DISCHARGE = re.compile(r"d(is)?_?_?(chg|ch(arge)?)|^d$|放电")
_CHARGE = re.compile(r"(chg|charge)|^c$|充电")
_VOLTAGE = re.compile(r"^cv|constant.?voltage")
_VOLTAMMETRY = re.compile(r"voltammetry|^lsv$|^cva?$")


@lru_cache(maxsize=256)
def kind_of(name: str) -> Kind:
    """Read `CC DChg`, `CCCV_Chg`, `Rest`, `discharge CC`, `D`, `EIS`, `静置`."""
    text = re.sub(r"[^a-z_\u4e00-\u9fff]+", "_", name.strip().casefold()).strip("_")
    if _REST.search(text) or "静置" in text or "搁置" in text:
        return Kind("rest", 0)
    if text in {"eis", "peis", "geis", "impedance", "acr"}:
        return Kind("impedance", 0)
    if _VOLTAMMETRY.search(text):
        return Kind("sweep", 0)
    direction = -1 if _DISCHARGE.search(text) else 1 if _CHARGE.search(text) else 0
    if direction == 0:
        return Kind("", 0)
    if text.startswith("cp") or "constant_power" in text:
        return Kind("power", direction)
    if text.startswith("cr"):
        return Kind("resistance", direction)
    if _VOLTAGE.match(text):
        return Kind("hold", direction)
    return Kind("charge" if direction > 0 else "discharge", direction)
