"""Finished answers, kept as bytes until the data changes.

Most questions are asked again before anything changed: the same listing by a loop of an old client, the same
table by a page that is opened twice. The key holds the question and who asks, so nobody gets what another
person may see; the version of the data holds everything that is written, rights included.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock

MOST_BYTES = 64 * 1024 * 1024
# One answer never drives out all others.
MOST_BYTES_OF_ONE = MOST_BYTES // 4


class Answers:
    """The answers of one site. Safe between threads."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._kept: OrderedDict[Hashable, tuple[str, bytes]] = OrderedDict()
        self._n_bytes = 0
        self._lock = Lock()

    def get(self, key: Hashable, version: str, make: Callable[[], bytes]) -> bytes:
        """The answer to `key` at this version of the data, made when there is none.

        `version` was read before `make` reads the data: an answer that is newer than its version is only
        made once more.
        """
        with self._lock:
            found = self._kept.get(key)
            if found is not None and found[0] == version:
                self._kept.move_to_end(key)
                return found[1]
        body = make()
        if len(body) <= min(MOST_BYTES_OF_ONE, self._most_bytes):
            self._keep(key, version, body)
        return body

    def _keep(self, key: Hashable, version: str, body: bytes) -> None:
        with self._lock:
            old = self._kept.pop(key, None)
            self._n_bytes += len(body) - (len(old[1]) if old else 0)
            self._kept[key] = (version, body)
            while self._n_bytes > self._most_bytes:
                _, (_, dropped) = self._kept.popitem(last=False)
                self._n_bytes -= len(dropped)
