"""Templates of keys: read a key by one, and write the beginnings of the keys that one stands for.

    MNINonLinear/Results/{stem}_{phase}/**

`{name}` is a text of the name's alphabet, `*` any text within a folder, `**` whatever is left. A name that
comes twice has the same text both times.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product

from connectomedb.errors import ConfigurationError

# What a name may be: one of some words, or whatever an expression matches.
Alphabet = tuple[str, ...] | str
_PIECE = re.compile(r"\{(?P<name>[a-z][a-z0-9_]*)\}|(?P<deep>\*\*)|(?P<any>\*)|(?P<text>[^{}*]+)")


@dataclass(frozen=True, slots=True)
class Template:
    """One template, read."""

    text: str
    pieces: tuple[tuple[str, str], ...]
    expression: re.Pattern[str]

    @property
    def names(self) -> frozenset[str]:
        return frozenset(value for kind, value in self.pieces if kind == "name")

    def read(self, text: str) -> Mapping[str, str] | None:
        """What the names are in the text; None when it is no text of this template."""
        match = self.expression.fullmatch(text)
        return None if match is None else match.groupdict()

    def write(self, values: Mapping[str, str]) -> str:
        """The text with these values; names and stars without one are left out."""
        return "".join(
            value if kind == "text" else values.get(value, "") if kind == "name" else ""
            for kind, value in self.pieces
        )

    def beginnings(self, values: Mapping[str, str], alphabets: Mapping[str, Alphabet]) -> Iterator[str]:
        """What texts with these values begin with, as far as it is known.

        A name without a value is spelt in each of its words; where the alphabet is an expression, or a star
        stands, the beginning ends.
        """
        choices: list[tuple[str, ...]] = []
        free: dict[str, int] = {}
        for kind, value in self.pieces:
            if kind == "text":
                choices.append((value,))
            elif kind == "name" and value in values:
                choices.append((values[value],))
            elif kind == "name" and isinstance(words := alphabets.get(value), tuple):
                if value in free:  # a second place of the same word: written below
                    choices.append(("",))
                    continue
                free[value] = len(choices)
                choices.append(words)
            else:
                break
        places = [(kind, value) for kind, value in self.pieces][: len(choices)]
        for words_chosen in product(*choices):
            yield "".join(
                words_chosen[free[value]] if kind == "name" and value in free else word
                for (kind, value), word in zip(places, words_chosen, strict=True)
            )


def read_template(text: str, alphabets: Mapping[str, Alphabet]) -> Template:
    """The template that `text` spells. Raises ConfigurationError for a name without an alphabet."""
    pieces: list[tuple[str, str]] = []
    expression, at, seen = "", 0, set[str]()
    for match in _PIECE.finditer(text):
        if match.start() != at:
            break
        at = match.end()
        kind = match.lastgroup or "text"
        value = match[kind]
        pieces.append((kind, value))
        if kind == "name":
            if value not in alphabets:
                raise ConfigurationError(
                    f"{text!r}: {{{value}}} is no name of this layout; there are: {', '.join(alphabets)}"
                )
            expression += f"(?P={value})" if value in seen else f"(?P<{value}>{_spelt(alphabets[value])})"
            seen.add(value)
        else:
            expression += {"deep": ".+", "any": "[^/]*"}.get(kind, re.escape(value))
    if at != len(text):
        raise ConfigurationError(f"{text!r} is no template: what stands at {text[at:]!r} is not understood")
    return Template(text, tuple(pieces), compiled(expression))


def compiled(expression: str) -> re.Pattern[str]:
    """The expression, ready. Raises ConfigurationError for one that is none."""
    try:
        return re.compile(expression, re.DOTALL)
    except re.error as problem:
        raise ConfigurationError(f"{expression!r} is no regular expression: {problem}") from problem


def _spelt(alphabet: Alphabet) -> str:
    if isinstance(alphabet, str):
        return alphabet
    # Longest first: `12` is tried before `1`.
    return "|".join(re.escape(word) for word in sorted(alphabet, key=lambda word: (-len(word), word)))
