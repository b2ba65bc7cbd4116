"""Small writes of several threads in one transaction: acknowledged is durable, and one commit pays for all.

Whoever comes first leads: it takes along what waits, commits, and hands the lead to the next that came
meanwhile. There is no thread of its own, and a caller who is alone waits for nobody.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any, TypeVar, cast

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

from connectomedb.errors import Conflict, DiskFull
from connectomedb.store.engine import is_full, writing

P = TypeVar("P")
R = TypeVar("R")
# Does what each of several callers asks for, in order, within the transaction of the connection.
Work = Callable[[Connection, Sequence[P]], Sequence[R]]

_MOST_MEMBERS = 64


class _Member:
    """One caller: what it wants done, and what became of it."""

    __slots__ = ("asked", "done", "leads", "problem", "result", "woken", "work")

    def __init__(self, work: Work[Any, Any], asked: Any) -> None:
        self.work = work
        self.asked = asked
        self.done = False
        self.leads = False
        self.result: Any = None
        self.problem: Exception | None = None
        # Locked until there is an outcome, or until it is this caller's turn to lead.
        self.woken = Lock()
        self.woken.acquire()

    def end(self, result: Any = None, problem: Exception | None = None) -> None:
        self.result, self.problem, self.done = result, problem, True


class GroupCommit:
    """Writes to one database, made durable together. Safe between threads.

    All members of a group are tried as one first, those of the same work in one call of it. If anything is
    wrong, the transaction is taken back and each is done by itself, within a savepoint: one that fails leaves
    the others.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = Lock()
        self._waiting: deque[_Member] = deque()
        self._is_led = False
        self._n_glances = 0

    def write(self, work: Work[P, R], asked: P) -> R:
        """What `work` gives for `asked`, once it is durable.

        `work` may run in another thread, more than once, and together with what others ask; nothing but the
        last time stays.

        Raises  what `work` raises; DiskFull, also when it was another member that found the disk full
        """
        member = _Member(work, asked)
        with self._lock:
            self._waiting.append(member)
            leads = not self._is_led
            self._is_led = True
        if not leads:
            try:
                member.woken.acquire()
            except BaseException:
                self._leave(member)
                raise
        if not member.done:
            self._lead(member)
        if member.problem is not None:
            raise member.problem
        return cast(R, member.result)

    def _lead(self, leader: _Member) -> None:
        """Commit one group, the leader among it, and hand the lead on."""
        group: list[_Member] = []
        self._gather(group)
        try:
            self._commit(group)
        finally:
            with self._lock:
                # Whatever ended the leader, such as an interrupt from the keyboard, is its own affair.
                self._waiting.extendleft(
                    member for member in reversed(group) if not member.done and member is not leader
                )
            for member in group:
                if member.done and member is not leader:
                    member.woken.release()
            self._hand_on()

    def _hand_on(self) -> None:
        """Let the next one lead, if there is one."""
        with self._lock:
            heir = self._waiting[0] if self._waiting else None
            self._is_led = heir is not None
            if heir is not None:
                heir.leads = True
                heir.woken.release()

    def _leave(self, member: _Member) -> None:
        """The caller does not wait any more; what a leader took along already is done nevertheless."""
        with self._lock:
            if member in self._waiting:
                self._waiting.remove(member)
        if member.leads:
            self._hand_on()

    def _gather(self, group: list[_Member]) -> None:
        with self._lock:
            while self._waiting and len(group) < _MOST_MEMBERS:
                group.append(self._waiting.popleft())

    def _commit(self, group: list[_Member]) -> None:
        begun = run = False
        try:
            with writing(self._engine) as connection:
                begun = True
                # Those of the group before, who were acknowledged just now, are about to ask for more: they
                # need the interpreter for a moment. One who was alone waits for nobody.
                for _ in range(self._n_glances):
                    time.sleep(0)
                self._gather(group)
                self._n_glances = 2 if len(group) > 1 else 0
                results = _run_as_one(connection, group)
                run = True
        except Exception as problem:  # noqa: BLE001  # raised again by the callers that it concerns
            if not begun or run or len(group) == 1 or isinstance(problem, DiskFull):
                _end_all(group, problem)
                return
        except BaseException:
            if run:
                _end_all(group, Conflict("the process was told to stop; look whether it was stored"))
            raise
        else:
            for member, result in zip(group, results, strict=True):
                member.end(result)
            return
        self._commit_apart(group)

    def _commit_apart(self, group: list[_Member]) -> None:
        """Each in a savepoint; whom the database failed is tried once more, alone."""
        outcomes: list[tuple[_Member, Any, Exception | None]] = []
        again: list[_Member] = []
        try:
            with writing(self._engine) as connection:
                for member in group:
                    try:
                        with connection.begin_nested():
                            result = _run(connection, [member])[0]
                        outcomes.append((member, result, None))
                    except OperationalError as problem:
                        if is_full(problem):
                            raise
                        again.append(member)
                    # Its own fault, and its own savepoint: the others go on.
                    except Exception as problem:  # noqa: BLE001  # raised again by the callers that it concerns
                        outcomes.append((member, None, problem))
        except Exception as problem:  # noqa: BLE001  # raised again by the callers that it concerns
            _end_all(group, problem)
            return
        for member, result, problem_of_one in outcomes:
            member.end(result, problem_of_one)
        for member in again:
            self._commit_alone(member)

    def _commit_alone(self, member: _Member) -> None:
        try:
            with writing(self._engine) as connection:
                result = _run(connection, [member])[0]
        except Exception as problem:  # noqa: BLE001  # raised again by the caller that it concerns
            member.end(problem=problem)
        else:
            member.end(result)


def _run_as_one(connection: Connection, group: Sequence[_Member]) -> list[Any]:
    """The results of all members, in their order."""
    by_work: dict[Work[Any, Any], list[int]] = {}
    for place, member in enumerate(group):
        by_work.setdefault(member.work, []).append(place)
    results: list[Any] = [None] * len(group)
    for places in by_work.values():
        some = [group[place] for place in places]
        for place, result in zip(places, _run(connection, some), strict=True):
            results[place] = result
    return results


def _run(connection: Connection, members: Sequence[_Member]) -> Sequence[Any]:
    found: Sequence[Any] = members[0].work(connection, [member.asked for member in members])
    return found


def _end_all(group: Sequence[_Member], problem: Exception) -> None:
    for member in group:
        member.end(problem=problem)
