"""The variables of a protocol: declared with a unit, a default or as required, used as `$name`."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from protocols.errors import Place, Problem, ProtocolError
from protocols.nodes import (
    ListNode,
    MappingNode,
    Node,
    Scalar,
    as_mapping,
    as_scalar,
    did_you_mean,
    one_of,
)
from protocols.problems import Problems
from protocols.quantities import Kind, kind_of_unit, read_amount

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_USE = re.compile(r"\$(\w+)")


@dataclass(frozen=True, slots=True)
class Variable:
    """One declared variable; without a `default` it must be given. `kind` is None where no unit is."""

    name: str
    place: Place
    kind: Kind | None = None
    default: Scalar | None = None
    note: str = ""

    def checked(self, value: Scalar) -> str:
        """Return the value's text; `ProtocolError` if it is not what the declared unit measures."""
        if self.kind is not None:
            read_amount(value, self.kind)
        return value.text


def read_variables(node: Node, problems: Problems) -> tuple[Variable, ...]:
    """Read the mapping under `variables:`; what is wrong goes to `problems`."""
    found: list[Variable] = []
    with problems.gathered():
        mapping = as_mapping(node, "{name: {unit: V, default: 1.7 V}}")
        for name, declaration in mapping.entries:
            with problems.gathered():
                found.append(_variable(name, declaration))
    return tuple(found)


def values(variables: tuple[Variable, ...], given: Mapping[str, str]) -> Mapping[str, str]:
    """Return every variable's text: what was given, else its default.

    `ProtocolError` for a name that is not declared, a required one not given, a wrong unit.
    """
    problems = Problems()
    by_name = {variable.name: variable for variable in variables}
    for name, text in given.items():
        with problems.gathered():
            value = Scalar(text.strip(), Place(f"variable {name}", 1, 1), exact=False)
            if name not in by_name:
                raise _undeclared(name, value.place, tuple(by_name))
            by_name[name].checked(value)
    for variable in variables:
        if variable.name not in given and variable.default is None:
            problems.add(variable.place, f"no value for `{variable.name}`", "one: it is required")
    problems.settle()
    defaults = {v.name: v.default.text for v in variables if v.default is not None}
    return {**defaults, **{name: text.strip() for name, text in given.items()}}


def check_names(node: Node, known: tuple[str, ...], problems: Problems) -> None:
    """Find every `$name` below `node` that is neither declared nor walked by a `for` around it."""
    match node:
        case Scalar():
            for used in _USE.finditer(node.text):
                if used[1] not in known:
                    with problems.gathered():
                        raise _undeclared(f"${used[1]}", node.at(used.start()), tuple(f"${k}" for k in known))
        case ListNode():
            for item in node.items:
                check_names(item, known, problems)
        case MappingNode():
            for key, value in node.entries:
                inner = (*known, *_walked(node, known, problems)) if key.text == "steps" else known
                check_names(value, inner, problems)


def used_names(node: Node) -> Iterator[str]:
    """Yield every name used as `$name` below `node`."""
    match node:
        case Scalar():
            yield from _USE.findall(node.text)
        case ListNode():
            for item in node.items:
                yield from used_names(item)
        case MappingNode():
            for _, value in node.entries:
                yield from used_names(value)


def _walked(node: MappingNode, known: tuple[str, ...], problems: Problems) -> tuple[str, ...]:
    """Return the name a `for` walks, which must be new."""
    name = node.take("for")
    if not isinstance(name, Scalar):
        return ()
    with problems.gathered():
        if _NAME.fullmatch(name.text) is None:
            raise name.refused("a name of small letters, digits and _")
        if name.text in known:
            raise name.refused("a name that is not in use already")
    return (name.text,)


def _variable(name: Scalar, node: Node) -> Variable:
    if _NAME.fullmatch(name.text) is None:
        raise name.refused("a name of small letters, digits and _")
    mapping = as_mapping(node, "{unit: V, default: 1.7 V} or {required: true}")
    mapping.only(("unit", "default", "required", "note"), "a key of a variable")
    unit, default, note = mapping.take("unit"), mapping.take("default"), mapping.take("note")
    required = _is_required(mapping)
    if required == (default is not None):
        wanted = "either `default: <value>` or `required: true`"
        raise ProtocolError(
            Problem(mapping.place, f"`{name.text}` with {'both' if required else 'neither'}", wanted)
        )
    kind = None if unit is None else kind_of_unit(as_scalar(unit, "a unit"))
    value = None if default is None else as_scalar(default, "a value")
    text = "" if note is None else as_scalar(note, "text").text
    variable = Variable(name.text, name.place, kind, value, text)
    if value is not None:
        variable.checked(value)
    return variable


def _is_required(mapping: MappingNode) -> bool:
    node = mapping.take("required")
    if node is None:
        return False
    return one_of(as_scalar(node, "true or false"), ("true", "false"), "true or false") == "true"


def _undeclared(name: str, place: Place, known: tuple[str, ...]) -> ProtocolError:
    wanted = f"a declared variable: {', '.join(known) or 'none is declared'}{did_you_mean(name, known)}"
    return ProtocolError(Problem(place, f"unknown variable {name}", wanted))
