"""Digests against published values, and against themselves in any cut."""

from __future__ import annotations

import hashlib
import os
import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectomedb.errors import ConfigurationError
from connectomedb.objects import digests
from connectomedb.objects.digests import (
    ALGORITHMS,
    Check,
    Promise,
    new_digest,
    possible_part_sizes,
    promise_of_etag,
    read_promise,
    table_crc,
)

MIB = 1 << 20
# RFC 1321, FIPS 180, the check values of the CRC catalogue and of the NVM Express specification.
KNOWN = [
    ("md5", b"abc", "900150983cd24fb0d6963f7d28e17f72"),
    ("sha1", b"abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
    ("sha256", b"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    ("crc32", b"123456789", "cbf43926"),
    ("crc32c", b"123456789", "e3069283"),
    ("crc32c", b"\0" * 32, "8a9136aa"),
    ("crc64nvme", b"123456789", "ae8b14860a799888"),
    ("crc64nvme", b"\0" * 4096, "6482d367eb22b64e"),
]


@pytest.mark.parametrize(("algorithm", "data", "value"), KNOWN)
def test_known_answers(algorithm: str, data: bytes, value: str) -> None:
    for cut in range(0, len(data), max(1, len(data) // 7)):
        digest = new_digest(algorithm)
        digest.update(data[:cut])
        digest.update(memoryview(data)[cut:])
        assert digest.hexdigest() == value


@pytest.mark.parametrize("algorithm", ["crc32c", "crc64nvme"])
def test_the_library_and_the_table_agree(algorithm: str) -> None:
    try:
        from awscrt import checksums
    except ImportError:
        if os.environ.get("CONNECTOMEDB_REQUIRE_EVERYTHING"):
            raise
        pytest.skip("the extra [checksums] is not installed")
    slow = table_crc(*digests._POLYNOMIALS[algorithm])
    rng = random.Random(1)
    before = 0
    for n in (0, 1, 7, 8, 4095, 70_001):
        data = rng.randbytes(n)
        assert slow(data, before) == getattr(checksums, algorithm)(data, before)
        before = slow(data, before)


def test_the_multipart_etag_of_s3() -> None:
    # The rule as AWS describes it: MD5 over the binary MD5s of the parts, a dash, their number.
    body = random.Random(2).randbytes(20 * MIB + 5)
    parts = [body[i : i + 8 * MIB] for i in range(0, len(body), 8 * MIB)]
    etag = hashlib.md5(b"".join(hashlib.md5(p).digest() for p in parts)).hexdigest() + "-3"
    check = Check(Promise("s3-etag", etag), len(body))
    for at in range(0, len(body), 1_000_003):
        check.update(memoryview(body)[at : at + 1_000_003])
    assert check.verdict() == "right"
    wrong = Check(Promise("s3-etag", etag), len(body))
    wrong.update(body[:-1] + b"?")
    assert wrong.verdict() == "unknown"


@pytest.mark.parametrize("part", [5, 7, 8, 16, 64])
def test_usual_part_sizes_are_among_the_possible(part: int) -> None:
    for n_parts in (1, 2, 3, 10):
        for size in ((n_parts - 1) * part * MIB + 1, n_parts * part * MIB):
            if n_parts > 1 or part == 8:
                assert part * MIB in possible_part_sizes(size, n_parts)


@settings(deadline=None)
@given(st.integers(1, 1 << 40), st.integers(1, 10_000))
def test_every_possible_part_size_gives_that_number_of_parts(size: int, n_parts: int) -> None:
    sizes = possible_part_sizes(size, n_parts)
    assert len(sizes) <= 4
    assert all(-(-size // s) == n_parts for s in sizes)


@settings(deadline=None)
@given(st.sampled_from([a for a in ALGORITHMS if a != "s3-etag"]), st.binary(max_size=300), st.data())
def test_a_check_is_blind_to_cuts(algorithm: str, body: bytes, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=5)))
    whole = new_digest(algorithm)
    whole.update(body)
    promise = Promise(algorithm, whole.hexdigest())
    check = Check(promise, len(body))
    for start, end in pairwise([0, *cuts, len(body)]):
        check.update(body[start:end])
    assert check.verdict() == "right"
    if body:
        other = Check(promise, len(body))
        other.update(bytes([body[0] ^ 1]) + body[1:])
        assert other.verdict() == "wrong"


def test_promises_are_read_in_every_spelling() -> None:
    md5 = "900150983cd24fb0d6963f7d28e17f72"
    assert read_promise("MD5", f'"{md5.upper()}"') == Promise("md5", md5)
    assert read_promise("md5", "kAFQmDzST7DWlj99KOF/cg==") == Promise("md5", md5)
    assert read_promise("crc32c", "4waSgw==", "store") == Promise("crc32c", "e3069283", "store")
    assert read_promise("SHA-256", KNOWN[2][2]) == Promise("sha256", KNOWN[2][2])
    assert read_promise("md5", "") is None
    assert read_promise("etag", f"{md5}-12") == Promise("s3-etag", f"{md5}-12")
    assert promise_of_etag(f'"{md5}"') == Promise("md5", md5, "store")
    assert promise_of_etag(f'"{md5}-3"') == Promise("s3-etag", f"{md5}-3", "store")
    assert promise_of_etag("opaque") is None
    for algorithm, value in (("md4", md5), ("md5", "xyz"), ("s3-etag", md5), ("sha256", md5)):
        with pytest.raises(ConfigurationError):
            read_promise(algorithm, value)
