"""`fit`: an equivalent circuit fitted to the spectra of a run, whenever somebody wants to know."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from daemon.commands.options import Database, Json, State, database_of, named
from daemon.commands.running import RunName

if TYPE_CHECKING:
    from daemon.reading.results import Results
    from protocols.figures.circuit import CircuitFit
    from protocols.figures.spectrum import Spectrum

Circuit = Annotated[str, typer.Argument(metavar="CIRCUIT", help="Such as 'R0-p(R1,CPE1)-W1'.")]


def fit(
    run: RunName,
    circuit: Circuit,
    state: State,
    database: Database = None,
    step: Annotated[int | None, typer.Option(help="Only the spectrum of this step.")] = None,
    start: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="Begin with this value (SI); may be repeated."),
    ] = None,
    unweighted: Annotated[
        bool, typer.Option("--unweighted", help="Do not divide by |Z|, to compare with older fits.")
    ] = False,
    json_: Json = False,
) -> None:
    """Fit an equivalent circuit to the spectra of a run and print its parameters.

    `-` puts in series, `p(a,b)` in parallel; elements are R, C, L, CPE, W (the far end of diffusion
    not seen), Wo (reflecting end) and Ws (transmitting end), each with a number. Starts are found
    by themselves, residuals weighted by 1/|Z|; each value has its standard uncertainty.
    """
    from daemon.commands.report import full_name
    from daemon.errors import UnknownError
    from daemon.reading.results import Results
    from protocols.figures.circuit import Weighting
    from protocols.figures.circuit_string import read_circuit

    wanted, known = read_circuit(circuit), starts_from(start)
    weighting = Weighting.NONE if unweighted else Weighting.MODULUS
    results = Results.open(database_of(state, database))
    try:
        name = full_name(results, run)
        spectra = spectra_of(results, name, step)
    finally:
        results.close()
    if not spectra:
        where = f"step {step} of run {name}" if step is not None else f"run {name}"
        raise UnknownError(f"{where} has no spectrum")
    fits = {ordinal: wanted.fit(spectrum, weighting, known) for ordinal, spectrum in spectra.items()}
    if json_:
        units = dict(zip(wanted.names, wanted.units, strict=True))
        print(json.dumps([_plain(ordinal, one, units) for ordinal, one in fits.items()]))
        return
    from daemon.commands.display import show_fits

    show_fits(wanted, fits)


def starts_from(pairs: list[str] | None) -> dict[str, float]:
    """Return `--start` pairs as numbers; anything else is a usage error."""
    found = {}
    for name, value in named(pairs, "--start R1=10").items():
        try:
            found[name] = float(value)
        except ValueError as error:
            raise typer.BadParameter(f"{name}={value}: wanted a number in SI, e.g. --start R1=10") from error
    return found


def _plain(ordinal: int, fit: "CircuitFit", units: Mapping[str, str]) -> dict[str, Any]:
    parameters = {name: {**fit.as_mapping()[name], "unit": unit} for name, unit in units.items()}
    return {"step": ordinal, "circuit": fit.circuit, "residual": fit.residual, "parameters": parameters}


def spectra_of(results: "Results", run: str, step: int | None) -> "Mapping[int, Spectrum]":
    """Return the spectra of a run by the ordinal of their steps."""
    from protocols.figures.spectrum import Spectrum

    points: dict[int, list[tuple[float, float, float]]] = {}
    for point in results.impedance(run, step):
        if None not in (point.frequency, point.real, point.imaginary):
            row = (point.frequency or 0.0, point.real or 0.0, point.imaginary or 0.0)
            points.setdefault(point.step, []).append(row)
    return {ordinal: Spectrum.of(*zip(*rows, strict=True)) for ordinal, rows in points.items()}
