"""Passwords: which are good enough, how they are kept, and how they are checked.

A password is kept as an argon2id hash. Checking it is slow on purpose, and clients send it with every
request, so a checked pair is remembered for five minutes: under a key of this process, together with
the stored hash, so that a changed password is never answered from memory.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from connectomedb.errors import TooManyAttempts, WeakPassword

REMEMBER_S = 300.0
SHORTEST_PASSWORD = 8
LONGEST_PASSWORD = 1024
WAITING_AT_MOST = 24  # of the 40 threads that answer requests
_FEWEST_CHARACTERS = 4
_REMEMBERED_AT_MOST = 4096
# The first that everybody tries; longer lists are for services that strangers may join.
_COMMON = frozenset(
    re.findall(
        r"\S+",
        """
        password password1 password12 password123 passw0rd p@ssw0rd 12345678 123456789 1234567890 87654321
        qwertyui qwertyuiop qwerty123 1q2w3e4r 1qaz2wsx asdfghjk asdfghjkl zxcvbnm1 iloveyou sunshine
        princess football baseball superman trustno1 letmein1 welcome1 welcome123 changeme changeme1 admin123
        administrator connectome connectomedb xnatadmin
        """,
    )
)


def check_password(login: str, password: str) -> None:
    """Raises WeakPassword with everything that is wrong with a new password."""
    faults = []
    if len(password) < SHORTEST_PASSWORD:
        faults.append(f"has fewer than {SHORTEST_PASSWORD} characters")
    if len(password) > LONGEST_PASSWORD:
        faults.append(f"has more than {LONGEST_PASSWORD} characters")
    if password and len(set(password)) < _FEWEST_CHARACTERS:
        faults.append(f"has fewer than {_FEWEST_CHARACTERS} different characters")
    if password.lower() == login.lower():
        faults.append("is the login")
    if password.lower() in _COMMON:
        faults.append("is one of the first that are guessed")
    if faults:
        raise WeakPassword(faults)


class Passwords:
    """The slow check of passwords, and the memory of those that were checked. Safe between threads."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._hasher = PasswordHasher()
        self._key = secrets.token_bytes(32)
        self._remembered: dict[bytes, float] = {}
        self._lock = threading.Lock()
        # Each check takes a core and 64 MiB. A few wait for their turn; a flood is sent away, so that it
        # takes neither the memory nor the threads of everybody else.
        self._room = threading.BoundedSemaphore(max(1, (os.cpu_count() or 1) - 1))
        self._queue = threading.BoundedSemaphore(WAITING_AT_MOST)
        self._turns = tuple(threading.Lock() for _ in range(64))
        # Checked when the login does not exist, so that both refusals take the same time.
        self.decoy = self._hasher.hash(secrets.token_hex(16))

    def hash(self, login: str, password: str) -> str:
        """What is kept of a new password. Raises WeakPassword."""
        check_password(login, password)
        with self._slowly():
            return self._hasher.hash(password)

    def turn(self, login: str, password: str) -> threading.Lock:
        """A lock for this pair: of many equal requests at once, one checks and the others find it known."""
        return self._turns[hash((login, password)) % len(self._turns)]

    def matches(self, stored: str, password: str) -> bool:
        """The password is the one that was kept; slow.

        Raises  TooManyAttempts when too many wait already
        """
        if len(password) > LONGEST_PASSWORD:
            return False
        try:
            with self._slowly():
                return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False

    def knows(self, login: str, stored: str, password: str) -> bool:
        """This pair was found right within the last minutes."""
        with self._lock:
            return self._remembered.get(self._mark(login, stored, password), 0.0) > self._clock()

    def remember(self, login: str, stored: str, password: str) -> None:
        """Answer for this pair without the slow check, for a while."""
        mark, moment = self._mark(login, stored, password), self._clock()
        with self._lock:
            if len(self._remembered) >= _REMEMBERED_AT_MOST:
                self._remembered = {m: until for m, until in self._remembered.items() if until > moment}
                if len(self._remembered) >= _REMEMBERED_AT_MOST:
                    self._remembered.clear()
            self._remembered[mark] = moment + REMEMBER_S

    def forget(self) -> None:
        """Check everything anew."""
        with self._lock:
            self._remembered.clear()

    @contextmanager
    def _slowly(self) -> Iterator[None]:
        if not self._queue.acquire(blocking=False):
            raise TooManyAttempts("many logins at once; try again in a second", retry_after_s=1.0)
        try:
            with self._room:
                yield
        finally:
            self._queue.release()

    def _mark(self, login: str, stored: str, password: str) -> bytes:
        return hmac.new(self._key, f"{login}\0{stored}\0{password}".encode(), hashlib.sha256).digest()
