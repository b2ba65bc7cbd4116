"""The expression of our client, command line and pages ↔ CriteriaSet.

    NEOFAC_A > 40 and (IWRD_TOT < 30 or IWRD_TOT >= 35)
    gender in ('F', 'M') and age between 22 and 30 and note is not null and label like '100%'
    mr_totalraw > 21 and has('T1w') and files('bart') >= 2

Names are display ids, element paths, dictionary columns, or any of them after `type:name/`; backquotes hold
odd ones. There is no `not` before a group: the search protocol has none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from connectomedb.errors import BadConstraint
from connectomedb.search.operators import join_range, split_list, split_range
from connectomedb.search.query import MOST_DEPTH, CriteriaSet, Criterion, FieldRef, Method

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<string>'(?:[^']|'')*'|"(?:[^"]|"")*")
    | (?P<quoted>`(?:[^`]|``)+`)
    | (?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w/:]))
    | (?P<operator><=|>=|!=|<>|==|=|<|>)
    | (?P<mark>[(),])
    | (?P<word>[A-Za-z0-9_][\w:/.@\[\]=-]*)
    )""",
    re.VERBOSE,
)
_WORDS = frozenset({"and", "or", "in", "not", "like", "between", "is", "null"})
_FUNCTIONS = {"has": "FILE_COUNT", "files": "FILE_COUNT", "bytes": "FILE_BYTES"}
Kind = Literal["string", "quoted", "number", "operator", "mark", "word", "end"]


@dataclass(frozen=True, slots=True)
class _Token:
    kind: Kind
    text: str
    position: int


def parse_expression(text: str, root: str) -> CriteriaSet:
    """The conditions that an expression states about rows of `root`; the empty expression states none.

    Raises   BadConstraint with the position and what was expected there
    """
    parser = _Parser(text, root)
    if parser.peek().kind == "end":
        return CriteriaSet()
    found = parser.any_of(0)
    parser.expect_end()
    return found if isinstance(found, CriteriaSet) else CriteriaSet("AND", (found,))


def print_expression(criteria: CriteriaSet, root: str) -> str:
    """An expression that `parse_expression` reads back."""
    stated = [m for m in criteria.members if isinstance(m, Criterion) or m]
    return f" {criteria.method.lower()} ".join(_print_member(m, root) for m in stated)


def in_project(root: str, project: str) -> CriteriaSet:
    """Exact membership: owned by the project or shared into it. `HCP_Q1` never means `HCP_Q1b`."""
    return CriteriaSet(
        "OR",
        (
            Criterion(FieldRef(root, "sharing/share/project"), "=", project),
            Criterion(FieldRef(root, "project"), "=", project),
        ),
    )


class _Parser:
    def __init__(self, text: str, root: str) -> None:
        self._text = text
        self._root = root
        self._tokens = _tokens(text)
        self._at = 0

    def peek(self) -> _Token:
        return self._tokens[self._at]

    def take(self) -> _Token:
        token = self._tokens[self._at]
        self._at += token.kind != "end"
        return token

    def word(self, *words: str) -> bool:
        token = self.peek()
        if token.kind == "word" and token.text.lower() in words:
            self._at += 1
            return True
        return False

    def expect_end(self) -> None:
        if self.peek().kind != "end":
            self.fail("'and', 'or' or the end")

    def fail(self, expected: str) -> None:
        token = self.peek()
        here = f"{token.text!r}" if token.text else "the end"
        raise BadConstraint(f"in {self._text!r} at {token.position + 1}: expected {expected}, found {here}")

    def any_of(self, depth: int) -> Criterion | CriteriaSet:
        return self._joined("OR", depth)

    def _joined(self, method: Method, depth: int) -> Criterion | CriteriaSet:
        if depth > MOST_DEPTH:
            self.fail(f"fewer than {MOST_DEPTH} levels of brackets")
        members = [self._below(method, depth)]
        while self.word(method.lower()):
            members.append(self._below(method, depth))
        return members[0] if len(members) == 1 else CriteriaSet(method, tuple(members))

    def _below(self, method: Method, depth: int) -> Criterion | CriteriaSet:
        return self._joined("AND", depth) if method == "OR" else self._term(depth)

    def _term(self, depth: int) -> Criterion | CriteriaSet:
        if self.peek().kind == "mark" and self.peek().text == "(":
            self.take()
            inner = self.any_of(depth + 1)
            self._mark(")")
            return inner
        return self._condition()

    def _mark(self, text: str) -> None:
        if self.peek().kind != "mark" or self.peek().text != text:
            self.fail(f"{text!r}")
        self.take()

    def _condition(self) -> Criterion:
        token = self.peek()
        if token.kind not in ("word", "quoted") or token.text.lower() in _WORDS:
            self.fail("the name of a field")
        self.take()
        following = self.peek()
        function = _FUNCTIONS.get(token.text.lower())
        if function and token.kind == "word" and following.kind == "mark" and following.text == "(":
            self.take()
            if self.peek().kind not in ("string", "word"):
                self.fail("what the files are: a kind, run or package in quotes")
            ref = FieldRef(self._root, f"{function}={_unquoted(self.take())}")
            self._mark(")")
            if token.text.lower() == "has":
                return Criterion(ref, "IS NOT NULL")
        else:
            ref = self._ref(_unquoted(token))
        return self._comparison(ref)

    def _ref(self, name: str) -> FieldRef:
        head, slash, tail = name.partition("/")
        return FieldRef(head, tail) if slash and ":" in head else FieldRef(self._root, name)

    def _comparison(self, ref: FieldRef) -> Criterion:
        if self.peek().kind == "operator":
            operator = {"<>": "!=", "==": "="}.get(self.peek().text, self.peek().text)
            self.take()
            return Criterion(ref, operator, self._value())
        if self.word("is"):
            negated = self.word("not")
            if self.word("distinct"):
                if not self.word("from"):
                    self.fail("'from' of 'is distinct from …'")
                return Criterion(ref, f"IS {'NOT ' if negated else ''}DISTINCT FROM", self._value())
            if not self.word("null"):
                self.fail("'null', 'not null' or 'distinct from'")
            return Criterion(ref, "IS NOT NULL" if negated else "IS NULL")
        negated = self.word("not")
        if self.word("like"):
            return Criterion(ref, "NOT LIKE" if negated else "LIKE", self._value())
        if self.word("in"):
            self._mark("(")
            values = [self._value()]
            while self.peek().text == "," and self.peek().kind == "mark":
                self.take()
                values.append(self._value())
            self._mark(")")
            return Criterion(ref, "NOT IN" if negated else "IN", ", ".join(_listed(v) for v in values))
        if not negated and self.word("between"):
            low = self._value()
            if not self.word("and"):
                self.fail("'and' of 'between … and …'")
            return Criterion(ref, "BETWEEN", join_range(low, self._value()))
        self.fail("a comparison (=, <, like, in, between, is null, …)")
        raise AssertionError("fail always raises")

    def _value(self) -> str:
        token = self.peek()
        if token.kind not in ("string", "number", "word") or token.text.lower() in _WORDS:
            self.fail("a value")
        return _unquoted(self.take())


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    position = 0
    while text[position:].strip():
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            start = position + len(text[position:]) - len(text[position:].lstrip())
            raise BadConstraint(f"in {text!r} at {start + 1}: {text[start]!r} means nothing here")
        kind: Kind = match.lastgroup  # type: ignore[assignment]  # the groups are the kinds
        tokens.append(_Token(kind, match[match.lastgroup], match.start(match.lastgroup)))
        position = match.end()
    return [*tokens, _Token("end", "", len(text))]


def _unquoted(token: _Token) -> str:
    if token.kind == "string":
        quote = token.text[0]
        return token.text[1:-1].replace(quote * 2, quote)
    return token.text[1:-1].replace("``", "`") if token.kind == "quoted" else token.text


def _listed(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _print_member(member: Criterion | CriteriaSet, root: str) -> str:
    if isinstance(member, CriteriaSet):
        return f"({print_expression(member, root)})"
    name = member.ref.name if member.ref.element_name == root else str(member.ref)
    match = re.fullmatch(r"FILE_COUNT=(.*)", member.ref.name)
    if match and member.comparison_type == "IS NOT NULL":
        return f"has({_text(match[1])})"
    plain = re.fullmatch(r"[A-Za-z0-9_][\w:/.]*", name) and name.lower() not in _WORDS
    shown = name if plain else "`" + name.replace("`", "``") + "`"
    comparison = member.comparison_type
    if comparison in ("IS NULL", "IS NOT NULL"):
        return f"{shown} {comparison.lower()}"
    if comparison in ("IN", "NOT IN"):
        listed = ", ".join(_text(value) for value in split_list(member.value))
        return f"{shown} {comparison.lower()} ({listed})"
    if comparison == "BETWEEN":
        low, high = split_range(member.value)
        return f"{shown} between {_text(low)} and {_text(high)}"
    spelled = comparison.lower() if comparison[0].isalpha() else comparison
    return f"{shown} {spelled} {_text(member.value)}"


def _text(value: str) -> str:
    if re.fullmatch(r"[+-]?\d+(\.\d+)?", value):
        return value
    return "'" + value.replace("'", "''") + "'"
