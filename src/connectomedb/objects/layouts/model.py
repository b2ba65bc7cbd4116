"""A layout as a value: a table of rules that reads a key, and that leads from a package to its keys."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from connectomedb.errors import ConfigurationError
from connectomedb.objects.layouts.templates import Alphabet, Template, compiled, read_template


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """What a key says about its object; an empty text where it says nothing.

    Where a layout has no subjects in its keys (XNAT's archive), `session` leads to the subject.
    """

    subject: str
    session: str = ""
    run: str = ""
    kind: str = ""
    package: str = ""
    release: str = ""


class Layout(Protocol):
    """How a store lays out the files of its subjects, both ways."""

    @property
    def name(self) -> str: ...

    @property
    def folders_above(self) -> int:
        """How many folders there are above a subject's, at the most."""

    def parse(self, key: str) -> KeyFacts | None:
        """What the key says; None for a key of no subject."""

    def subject_prefix(self, subject: str, *, release: str = "") -> str:
        """What all keys of one subject begin with."""

    def package_prefixes(self, package: str, subject: str, *, release: str = "") -> tuple[str, ...]:
        """What the keys of one package of one subject begin with; other keys may, too: `parse` tells.

        Raises  ConfigurationError for a package that the layout cannot have
        """

    def packages(self) -> tuple[str, ...]:
        """Every package the layout names by itself; empty where the folders' names decide."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Keys that fit `path` (below the subject's folder) are files of `package`.

    `package`, `run` and `session` are templates over the names of `path`.
    """

    path: str
    package: str = ""
    run: str = ""
    session: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class _ReadRule:
    path: Template
    package: Template
    run: Template
    session: Template
    kind: str


@dataclass(frozen=True)
class RuledLayout:
    """A layout that is a table of rules; the first rule that fits decides.

    `root` is the template of a subject's folder; `release` the value of its first folder, which a store that
    is opened below it does not show. `kinds` are expressions for the end of a path, the first decides.
    """

    name: str
    root: str
    rules: tuple[Rule, ...]
    alphabets: Mapping[str, Alphabet]
    release: str = ""
    session: str = ""
    kinds: tuple[tuple[str, str], ...] = ()

    @property
    def folders_above(self) -> int:
        """How many folders there are above a subject's, at the most."""
        return self.root.count("/") - 1

    def parse(self, key: str) -> KeyFacts | None:
        """What the key says; None for a key of no subject."""
        for root in self._roots:
            match = root.expression.match(key)
            if match is None:
                continue
            path = key[match.end() :]
            if path:
                return self._facts(path, match.groupdict())
        return None

    def subject_prefix(self, subject: str, *, release: str = "") -> str:
        """What all keys of one subject begin with."""
        return self._below(self._named(subject, release))

    def package_prefixes(self, package: str, subject: str, *, release: str = "") -> tuple[str, ...]:
        """See `Layout.package_prefixes`. Cost: no request."""
        named = self._named(subject, release)
        below = self._below(named)
        found: set[str] = set()
        for rule in self._read_rules:
            values = rule.package.read(package) if rule.package.text else None
            if values is not None:
                found.update(
                    below + text for text in rule.path.beginnings({**named, **values}, self.alphabets)
                )
        if not found:
            raise ConfigurationError(
                f"the layout {self.name} has no package {package!r}; there are: {', '.join(self.packages())}"
            )
        return tuple(sorted(p for p in found if not any(p != q and p.startswith(q) for q in found)))

    def packages(self) -> tuple[str, ...]:
        """Every package that a rule can name, in the order of the rules."""
        names = (
            name
            for rule in self._read_rules
            if rule.package.text
            for name in rule.package.beginnings({}, self.alphabets)
        )
        return tuple(dict.fromkeys(name for name in names if name))

    def check(self) -> None:
        """Raises ConfigurationError for a template or an expression that is none."""
        if not {"subject", "session"} & self._roots[0].names:
            raise ConfigurationError(f"the root {self.root!r} names neither {{subject}} nor {{session}}")
        self.packages()
        self._kind("")

    @cached_property
    def _roots(self) -> tuple[Template, ...]:
        whole = read_template(self.root, self.alphabets)
        first, _, below = self.root.partition("/")
        if first != "{release}":
            return (whole,)
        return whole, read_template(below, self.alphabets)

    @cached_property
    def _read_rules(self) -> tuple[_ReadRule, ...]:
        def read(text: str) -> Template:
            return read_template(text, self.alphabets)

        return tuple(
            _ReadRule(
                read(one.path), read(one.package), read(one.run), read(one.session or self.session), one.kind
            )
            for one in self.rules
        )

    @cached_property
    def _by_folder(self) -> Mapping[str, tuple[_ReadRule, ...]]:
        """The rules that a path can fit, by its first folder; those for any folder under the empty text."""
        folders = {_literal_folder(rule.path) for rule in self._read_rules}
        return {
            folder: tuple(r for r in self._read_rules if _literal_folder(r.path) in (folder, ""))
            for folder in folders | {""}
        }

    def _facts(self, path: str, found: Mapping[str, str]) -> KeyFacts:
        rules = self._by_folder.get(path.partition("/")[0]) or self._by_folder[""]
        for rule in rules:
            values = rule.path.read(path)
            if values is not None and all(
                values[name] == found[name] for name in values.keys() & found.keys()
            ):
                named = {**found, **values}
                return KeyFacts(
                    found.get("subject", ""),
                    rule.session.write(named),
                    rule.run.write(named),
                    rule.kind or self._kind(path),
                    rule.package.write(named),
                    found.get("release") or "",
                )
        raise ConfigurationError(f"the layout {self.name} has no rule for {path!r}; end its rules with `**`")

    def _kind(self, path: str) -> str:
        return next((kind for expression, kind in self._kinds if expression.search(f"/{path}")), "other")

    @cached_property
    def _kinds(self) -> tuple[tuple[re.Pattern[str], str], ...]:
        return tuple((compiled(expression), kind) for expression, kind in self.kinds)

    def _named(self, subject: str, release: str) -> dict[str, str]:
        return {"subject": subject, "release": release or self.release}

    def _below(self, named: Mapping[str, str]) -> str:
        unknown = sorted(self._roots[0].names - named.keys())
        if unknown:
            raise ConfigurationError(
                f"a subject does not say where its files are in the layout {self.name}: its keys begin with "
                f"{self.root!r}"
            )
        return self._roots[0].write(named)


def _literal_folder(path: Template) -> str:
    kind, text = path.pieces[0]
    return text.partition("/")[0] if kind == "text" and "/" in text else ""
