"""An object as a read-only file: seekable, read by ranges as asked for, and always of one version.

    with open_object(store, "HCP_1200/100307/T1w/T1w_acpc_dc.nii.gz") as file: …

For a slice of a volume, a header, a table's end. Who reads a whole file had better fetch it: nothing here is
compared with a digest.
"""

from __future__ import annotations

import io
import os
from threading import Event
from typing import TYPE_CHECKING

from connectomedb.errors import ConnectomeDBError, ObjectChanged, Truncated
from connectomedb.objects.fetch import Tries
from connectomedb.objects.sources import Source
from connectomedb.objects.stores import ObjectStore, RangesIgnored

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

READ_AHEAD_BYTES = 1 << 18


def open_object(
    store: ObjectStore, key: str, *, read_ahead_bytes: int = READ_AHEAD_BYTES
) -> io.BufferedReader:
    """A file object over an object. For one thread; close it.

    Raises   ObjectMissing, AccessDenied; when read, ObjectChanged when another object stands there meanwhile
    Cost     one request here, one per `read_ahead_bytes` or larger read; memory of `read_ahead_bytes`
    """
    return io.BufferedReader(_RemoteFile(store, key), read_ahead_bytes)


class _RemoteFile(io.RawIOBase):
    def __init__(self, store: ObjectStore, key: str) -> None:
        super().__init__()
        self._key, self._patience = key, store.patience
        self._reader = Source(store).reader()
        tries = Tries(self._patience, Event())
        while True:
            try:
                self._facts = self._reader.head(key)
                break
            except ConnectomeDBError as trouble:
                tries.again(trouble, 0)
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._facts.size_bytes}[whence]
        if start + offset < 0:
            raise ValueError(f"cannot seek to {start + offset}, before the beginning")
        self._at = start + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer).cast("B")
        end = min(self._at + len(view), self._facts.size_bytes)
        tries, begun = Tries(self._patience, Event()), self._at
        while self._at < end:
            before = self._at
            try:
                self._read(view[self._at - begun : end - begun], end)
            except ConnectomeDBError as trouble:
                tries.again(trouble, self._at - before)
        return max(0, end - begun)

    def _read(self, view: memoryview, end: int) -> None:
        try:
            body = self._reader.get(self._key, self._at, end, self._facts.pin)
        except RangesIgnored:
            body = self._reader.get(self._key, pin=self._facts.pin)
        try:
            if body.facts.pin != self._facts.pin or body.facts.size_bytes != self._facts.size_bytes:
                raise ObjectChanged(f"{self._key}: another object stands there now")
            skip = self._at - body.start  # a store that ignores ranges sends what is before, too
            waste = memoryview(bytearray(min(skip, 1 << 16)))
            while skip and (n := body.readinto(waste[:skip])):
                skip -= n
            have = 0
            while have < len(view):
                n = body.readinto(view[have:])
                if not n:
                    raise Truncated(f"{self._key}: the answer ends {len(view) - have} bytes early")
                have += n
                self._at += n
        finally:
            body.close()

    def close(self) -> None:
        if not self.closed:
            self._reader.close()
        super().close()
