"""The words that are explained are the words that are checked."""

import pytest

from protocols import cell, protocol
from protocols.cell import Cell
from protocols.conditions import Quantity
from protocols.protocol import Protocol
from protocols.steps import EVERY_STEP, VERBS
from protocols.vocabulary import Word, cell_words, protocol_words


def names(words: list[Word], place: str) -> set[str]:
    return {word.name for word in words if word.place == place}


def test_no_word_of_the_checker_is_without_a_meaning_and_none_is_made_up() -> None:
    words = list(protocol_words())
    assert names(words, "file") == set(protocol.KEYS)
    assert names(words, "verb") == {*VERBS, "repeat", "for"}
    own = {key for verb in VERBS.values() for key in verb.keys}
    assert names(words, "step") == {*EVERY_STEP, *own, "steps", "in"}
    assert names(words, "quantity") == {*Quantity, "retention"}
    assert names(list(cell_words()), "file") == set(cell.KEYS)


@pytest.mark.parametrize("verb", VERBS)
def test_a_key_is_offered_for_the_verbs_that_have_it(verb: str) -> None:
    step = [word for word in protocol_words() if word.place == "step"]
    assert {word.name for word in step if not word.of or verb in word.of} == {*VERBS[verb].keys, *EVERY_STEP}


@pytest.mark.parametrize(
    "word", [each for each in cell_words() if each.place == "file"], ids=lambda w: w.name
)
def test_every_example_of_a_cell_file_is_one(word: Word) -> None:
    first = "" if word.name == "cell" else "cell: c\n"
    Cell.parse(
        f"{first}active_mass: 1 mg\n{word.example}\n" if word.name != "active_mass" else first + word.example
    )


@pytest.mark.parametrize(
    "word", [each for each in protocol_words() if each.place == "verb"], ids=lambda w: w.name
)
def test_every_example_of_a_step_is_one(word: Word) -> None:
    more = {
        "polarise": "versus: open circuit",
        "sweep": "rate: 1 mV/s",
        "impedance": "from: 1 kHz\n    to: 1 Hz\n    points_per_decade: 10",
        "repeat": "steps: [{rest: 1 min}]",
        "for": "steps: [{rest: 1 min}]",
    }.get(word.name, "mark: here")
    Protocol.parse(f"protocol: p\nsteps:\n  - {word.example}\n    {more}\n")


@pytest.mark.parametrize(
    "word", [each for each in protocol_words() if each.units], ids=lambda w: f"{w.place}-{w.name}"
)
def test_every_unit_that_is_offered_is_known(word: Word) -> None:
    from protocols.units import UNITS

    assert {unit.split()[0] for unit in word.units} <= {*UNITS}
