"""HTML and SVG put together so that no text can become markup by accident."""

from collections.abc import Iterable
from html import escape
from typing import TypeAlias

Content: TypeAlias = "str | float | Markup | Iterable[Content] | None"
_EMPTY = frozenset({"meta", "br", "img", "path", "line", "circle", "rect", "polyline", "polygon"})


class Markup(str):
    """Text that is markup already. Everything else is escaped on its way in."""

    __slots__ = ()


def tag(name: str, /, *content: Content, **attributes: str | float | None) -> Markup:
    """Return an element. `class_` is `class`; other underscores become hyphens; None leaves one out."""
    said = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _EMPTY:
        return Markup(f"<{name}{said}/>")
    return Markup(f"<{name}{said}>{joined(content)}</{name}>")


def joined(content: Content) -> Markup:
    """Return content as markup: text escaped, elements as they are, None as nothing."""
    match content:
        case None:
            return Markup("")
        case Markup():
            return content
        case str() | float() | int():
            return Markup(escape(str(content)))
        case _:
            return Markup("".join(joined(part) for part in content))
