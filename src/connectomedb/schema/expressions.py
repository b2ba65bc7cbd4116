"""The small language of display documents: what a field may compute from its inputs, as plain values.

`@Field1` and its like, text and numbers, COALESCE, NULLIF, `||`, SUBSTRING, LOWER, CASE WHEN, CAST, FLOOR,
ROUND, EXTRACT(YEAR FROM …), arithmetic, comparisons, AND, OR, NOT, IS NULL. It looks like SQL because XNAT's
documents do; no text of it ever reaches a database. `store.formulas` says what it becomes there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, cast

CastType = Literal["string", "integer", "float", "date"]
CallName = Literal[
    "coalesce",
    "nullif",
    "concat",
    "substring",
    "lower",
    "floor",
    "round",
    "year",
    "add",
    "subtract",
    "multiply",
    "divide",
    "negate",
    "equal",
    "unequal",
    "less",
    "at_most",
    "greater",
    "at_least",
    "is_null",
    "and",
    "or",
    "not",
]
CONDITIONS: frozenset[str] = frozenset(
    ("equal", "unequal", "less", "at_most", "greater", "at_least", "is_null", "and", "or", "not")
)
_LONGEST = 4000
_DEEPEST = 40


@dataclass(frozen=True, slots=True)
class Constant:
    """A text or a number that stands in the formula; None is NULL."""

    value: str | int | float | None


@dataclass(frozen=True, slots=True)
class Input:
    """One input of the field: an element or a built-in, spelled as `DisplayField.expression`."""

    expression: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A function or an operator on its arguments."""

    name: CallName
    arguments: tuple[Formula, ...]


@dataclass(frozen=True, slots=True)
class Cast:
    """A value as another type; no value where it is none of that type."""

    value: Formula
    to: CastType


@dataclass(frozen=True, slots=True)
class Case:
    """The value of the first branch whose condition holds."""

    branches: tuple[tuple[Formula, Formula], ...]
    otherwise: Formula


Formula = Constant | Input | Call | Cast | Case


def parse_formula(text: str, inputs: Mapping[str, Input]) -> Formula:
    """The formula in `text`; `@NAME` stands for `inputs[NAME]`.

    Raises   ValueError with what is wrong and at which character
    """
    if len(text) > _LONGEST:
        raise ValueError(f"the expression has {len(text)} characters; at most {_LONGEST} are read")
    parser = _Parser(list(_tokens(text)), inputs)
    found = parser.value()
    parser.end()
    return found


def inputs_of(formula: Formula) -> Iterator[Input]:
    """Every input that the formula uses, as often as it does."""
    if isinstance(formula, Input):
        yield formula
    elif isinstance(formula, Call):
        for one in formula.arguments:
            yield from inputs_of(one)
    elif isinstance(formula, Cast):
        yield from inputs_of(formula.value)
    elif isinstance(formula, Case):
        for condition, value in formula.branches:
            yield from inputs_of(condition)
            yield from inputs_of(value)
        yield from inputs_of(formula.otherwise)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: Literal["word", "input", "number", "text", "sign", "end"]
    text: str
    place: int


_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>\d+(?:\.\d+)?)|@(?P<input>\w+)|(?P<word>[A-Za-z_]\w*)"
    r"|(?P<sign>\|\||<>|!=|<=|>=|[-+*/=<>(),]))"
)


def _tokens(text: str) -> Iterator[_Token]:
    place = 0
    end = len(text.rstrip())
    while place < end:
        found = _TOKEN.match(text, place)
        if found is None or found.lastgroup is None:
            rest = text[place:end].lstrip()
            raise ValueError(f"{rest[:12]!r} at character {end - len(rest) + 1} is not of the language")
        kind = cast(Literal["word", "input", "number", "text", "sign"], found.lastgroup)
        # The name of an input stands after its @.
        yield _Token(kind, found[kind], found.start(kind) + (0 if kind == "input" else 1))
        place = found.end()
    yield _Token("end", "the end", end + 1)


_COMPARISONS: Mapping[str, CallName] = {
    "=": "equal",
    "<>": "unequal",
    "!=": "unequal",
    "<": "less",
    "<=": "at_most",
    ">": "greater",
    ">=": "at_least",
}
_SUMS: Mapping[str, CallName] = {"+": "add", "-": "subtract"}
_PRODUCTS: Mapping[str, CallName] = {"*": "multiply", "/": "divide"}
_JOINS: Mapping[str, CallName] = {"||": "concat"}
_FUNCTIONS: Mapping[str, tuple[CallName, int, int]] = {
    "coalesce": ("coalesce", 1, 20),
    "nullif": ("nullif", 2, 2),
    "lower": ("lower", 1, 1),
    "floor": ("floor", 1, 1),
    "round": ("round", 1, 2),
}
_CASTS: Mapping[str, CastType] = {
    "varchar": "string",
    "text": "string",
    "char": "string",
    "integer": "integer",
    "int": "integer",
    "bigint": "integer",
    "float": "float",
    "double": "float",
    "numeric": "float",
    "decimal": "float",
    "date": "date",
}


class _Parser:
    """Recursive descent, loosest binding first: OR, AND, NOT, comparison, `||`, sum, product, sign."""

    def __init__(self, tokens: list[_Token], inputs: Mapping[str, Input]) -> None:
        self._tokens = tokens
        self._inputs = inputs
        self._at = 0
        self._depth = 0

    @property
    def _next(self) -> _Token:
        return self._tokens[self._at]

    def end(self) -> None:
        if self._next.kind != "end":
            raise self._unexpected("the end")

    def value(self) -> Formula:
        """An expression that is a value, not a condition."""
        place = self._next.place
        found = self._anything()
        if _is_condition(found):
            raise ValueError(f"a value is needed at character {place}; write CASE WHEN … THEN … END")
        return found

    def condition(self) -> Formula:
        place = self._next.place
        found = self._anything()
        if not _is_condition(found):
            raise ValueError(f"a comparison is needed at character {place}")
        return found

    def _anything(self) -> Formula:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise ValueError(f"the expression is nested deeper than {_DEEPEST} levels")
        found = self._both("or", lambda: self._both("and", self._negation))
        self._depth -= 1
        return found

    def _both(self, word: Literal["or", "and"], part: Callable[[], Formula]) -> Formula:
        place = self._next.place
        parts = [part()]
        while self._take_word(word):
            parts.append(part())
        if len(parts) == 1:
            return parts[0]
        if not all(_is_condition(one) for one in parts):
            raise ValueError(f"{word.upper()} at character {place} needs comparisons on both sides")
        return Call(word, tuple(parts))

    def _negation(self) -> Formula:
        place = self._next.place
        n_nots = 0
        while self._take_word("not"):
            n_nots += 1
        inner = self._comparison()
        if n_nots and not _is_condition(inner):
            raise ValueError(f"NOT at character {place} needs a comparison")
        return Call("not", (inner,)) if n_nots % 2 else inner

    def _comparison(self) -> Formula:
        left = self._chain(_JOINS, self._sum)
        if self._next.kind == "sign" and self._next.text in _COMPARISONS:
            name = _COMPARISONS[self._advance().text]
            return Call(name, (left, self._chain(_JOINS, self._sum)))
        if self._take_word("is"):
            negated = self._take_word("not")
            self._need_word("null")
            absent = Call("is_null", (left,))
            return Call("not", (absent,)) if negated else absent
        return left

    def _sum(self) -> Formula:
        return self._chain(_SUMS, lambda: self._chain(_PRODUCTS, self._signed))

    def _chain(self, names: Mapping[str, CallName], part: Callable[[], Formula]) -> Formula:
        found = part()
        while self._next.kind == "sign" and self._next.text in names:
            name = names[self._advance().text]
            found = Call(name, (found, part()))
        return found

    def _signed(self) -> Formula:
        if self._take_sign("-"):
            return Call("negate", (self._primary(),))
        return self._primary()

    def _primary(self) -> Formula:
        token = self._advance()
        if token.kind == "text":
            return Constant(token.text[1:-1].replace("''", "'"))
        if token.kind == "number":
            return Constant(float(token.text) if "." in token.text else int(token.text))
        if token.kind == "input":
            if token.text not in self._inputs:
                known = ", ".join(f"@{name}" for name in self._inputs) or "none"
                raise ValueError(f"@{token.text} at character {token.place} is no input; there are: {known}")
            return self._inputs[token.text]
        if token.kind == "sign" and token.text == "(":
            found = self._anything()
            self._need_sign(")")
            return found
        if token.kind == "word":
            return self._word(token)
        self._at -= 1
        raise self._unexpected("a value")

    def _word(self, token: _Token) -> Formula:
        word = token.text.lower()
        if word == "null":
            return Constant(None)
        if word == "case":
            return self._case()
        self._need_sign("(", after=token)
        if word == "cast":
            return self._cast()
        if word == "extract":
            self._need_word("year")
            self._need_word("from")
            found: Formula = Call("year", (self.value(),))
        elif word == "substring":
            found = self._substring()
        elif word in _FUNCTIONS:
            name, least, most = _FUNCTIONS[word]
            arguments = [self.value()]
            while self._take_sign(","):
                arguments.append(self.value())
            if not least <= len(arguments) <= most:
                raise ValueError(f"{token.text} at character {token.place} takes {least} to {most} arguments")
            found = Call(name, tuple(arguments))
        else:
            known = ", ".join(sorted((*_FUNCTIONS, "case", "cast", "extract", "substring"))).upper()
            raise ValueError(f"{token.text} at character {token.place} is not known; there are: {known}")
        self._need_sign(")")
        return found

    def _case(self) -> Formula:
        branches: list[tuple[Formula, Formula]] = []
        subject = None if self._is_word("when") else self.value()
        while self._take_word("when"):
            condition = self.condition() if subject is None else Call("equal", (subject, self.value()))
            self._need_word("then")
            branches.append((condition, self.value()))
        if not branches:
            raise self._unexpected("WHEN")
        otherwise = self.value() if self._take_word("else") else Constant(None)
        self._need_word("end")
        return Case(tuple(branches), otherwise)

    def _cast(self) -> Formula:
        value = self.value()
        self._need_word("as")
        token = self._advance()
        to = _CASTS.get(token.text.lower()) if token.kind == "word" else None
        if to is None:
            raise ValueError(
                f"{token.text} at character {token.place} is no type; there are: {', '.join(_CASTS)}"
            )
        if token.text.lower() == "double":
            self._take_word("precision")
        if self._take_sign("("):  # VARCHAR(255): lengths say nothing here
            self._advance()
            self._need_sign(")")
        self._need_sign(")")
        return Cast(value, to)

    def _substring(self) -> Formula:
        """`SUBSTRING(x FROM 1 FOR 5)`, `SUBSTRING(x, 1, 5)`; the numbers are written out."""
        value = self.value()
        comma = self._take_sign(",")
        if not comma:
            self._need_word("from")
        start = self._count()
        if comma:
            self._need_sign(",")
        else:
            self._need_word("for")
        return Call("substring", (value, Constant(start), Constant(self._count())))

    def _count(self) -> int:
        token = self._advance()
        if token.kind != "number" or "." in token.text or int(token.text) < 1:
            self._at -= 1
            raise self._unexpected("a whole number from 1 on")
        return int(token.text)

    # Tokens

    def _advance(self) -> _Token:
        token = self._next
        if token.kind == "end":
            raise self._unexpected("a value")
        self._at += 1
        return token

    def _is_word(self, word: str) -> bool:
        return self._next.kind == "word" and self._next.text.lower() == word

    def _take_word(self, word: str) -> bool:
        if not self._is_word(word):
            return False
        self._at += 1
        return True

    def _take_sign(self, sign: str) -> bool:
        if self._next.kind != "sign" or self._next.text != sign:
            return False
        self._at += 1
        return True

    def _need_word(self, word: str) -> None:
        if not self._take_word(word):
            raise self._unexpected(word.upper())

    def _need_sign(self, sign: str, after: _Token | None = None) -> None:
        if not self._take_sign(sign):
            if after is not None:
                raise ValueError(f"{after.text} at character {after.place} is neither input nor function")
            raise self._unexpected(f"'{sign}'")

    def _unexpected(self, wanted: str) -> ValueError:
        token = self._next
        return ValueError(f"{wanted} is needed at character {token.place}, where {token.text} stands")


def _is_condition(formula: Formula) -> bool:
    return isinstance(formula, Call) and formula.name in CONDITIONS
