"""Tricks with labels, ids, addresses and sizes; edits at once; and what those may not read can find out."""

from __future__ import annotations

import http.client
import itertools
import threading
from collections.abc import Callable
from urllib.parse import urlsplit

import httpx2
import pytest
from tests.conformance.hierarchy.conftest import PASSWORD

from connectomedb.store.site import Site

Client = httpx2.Client
MR = "xsiType=xnat:mrSessionData"
SCRIPT = "<script>alert('\"&')</script>"


def raw(url: str, method: str, path: str) -> tuple[int, str]:
    """A request whose path nobody tidies up on the way."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
    basic = httpx2.BasicAuth("ann", PASSWORD)._auth_header
    connection.request(method, path, headers={"Authorization": basic})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


@pytest.mark.parametrize(
    "label",
    [
        *("a%2Fb", "..", "%2E%2E", "..%2F..%2Fetc", "a%00b", "a%0d%0ab", "%C3%BC", "%E2%80%AE", "a%20b"),
        *("%2527", "%3Cb%3E", "x" * 300, "a;b", "*", "%25", "'", "S%EF%BC%91", "%F0%9F%98%80", "-" * 256),
        "%FF",
    ],
)
def test_labels_that_no_address_should_hold(url: str, project: str, label: str) -> None:
    for path in (
        f"/data/projects/{project}/subjects/{label}",
        f"/data/projects/{project}/subjects/S/experiments/{label}?{MR}",
    ):
        status, text = raw(url, "PUT", path)
        assert status in (400, 404, 405), (path, status, text)
        assert not text.startswith("<")
        assert raw(url, "GET", path)[0] in (400, 404, 405)
        assert raw(url, "DELETE", path)[0] in (400, 404, 405)
    status, text = raw(url, "GET", f"/data/projects/{project}/subjects?format=csv&columns=label")
    assert text.splitlines() == ["label,ID,URI"], "nothing was made"


@pytest.mark.parametrize("scan", ["%2e%2e", "a%2Fb", "a%00b", "%0a", "x" * 3000])
def test_names_of_scans(url: str, project: str, scan: str) -> None:
    m = f"/data/projects/{project}/subjects/S/experiments/M"
    assert raw(url, "PUT", f"{m}?{MR}")[0] == 201
    status, _ = raw(url, "PUT", f"{m}/scans/{scan}?xsiType=xnat:mrScanData")
    assert status in (200, 400, 404, 405, 414)
    listed = raw(url, "GET", f"{m}/scans?format=json")
    assert listed[0] == 200
    assert raw(url, "GET", f"{m}?format=xml")[0] == 200


def test_twins_by_case_are_two_labels_and_one_project(ann: Client, project: str) -> None:
    s = f"/data/projects/{project}/subjects"
    ids = {ann.put(f"{s}/{label}").text for label in ("Aa", "aA", "AA", "aa")}
    assert len(ids) == 4
    swapped = project.swapcase()
    assert ann.put(f"/data/projects/{swapped}?description=same").status_code == 200
    assert ann.get(f"/data/projects?ID={project}").json()["ResultSet"]["totalRecords"] == "1"


def test_markup_in_values_is_text_on_every_page(ann: Client, project: str) -> None:
    p = f"/data/projects/{project}"
    assert ann.put(p, params={"description": SCRIPT, "name": f"{SCRIPT}{project}"}).status_code == 200
    e = f"{p}/subjects/S/experiments/M"
    ann.put(f"{p}/subjects/S", params={"src": SCRIPT, "xnat:subjectData/fields/field[name=x]/field": SCRIPT})
    assert ann.put(f"{e}?{MR}").status_code == 201
    assert ann.put(e, params={"note": SCRIPT}).status_code == 200
    scan = {"xsiType": "xnat:mrScanData", "type": SCRIPT, "note": SCRIPT}
    assert ann.put(f"{e}/scans/1", params=scan).status_code == 200
    assert ann.put(f"{e}/scans/{'%3Cb%3E'}", params=scan).status_code == 200
    for path in (
        "/",
        "/data/projects?format=html",
        p,
        f"{p}/subjects?format=html&columns=label,src",
        f"{p}/subjects/S",
        f"{p}/experiments?format=html&columns=label,note",
        e,
        f"{e}/scans?format=html",
        f"{e}/scans/1",
        f"{e}/scans/%3Cb%3E",
        f"{p}/scan_types?format=html",
        f"{e}/history?format=html&includeDetails=true",
    ):
        page = ann.get(path)
        assert page.status_code == 200, path
        assert page.headers["content-type"].startswith("text/html"), path
        assert "<script>" not in page.text, path
        assert "<b>" not in page.text, path
    for path in (f"{p}/subjects/S", e, f"{e}/scans/1", p):
        document = ann.get(path + "?format=xml").text
        assert "<script>" not in document
        assert "&lt;script&gt;" in document
    wrong = ann.get(f"{p}/subjects/%3Cscript%3E", headers={"Accept": "text/html"})
    assert wrong.status_code == 404
    assert wrong.headers["content-type"].startswith("text/plain") or "<script>" not in wrong.text
    assert wrong.headers["x-content-type-options"] == "nosniff"


def test_what_one_may_not_read_is_not_there(
    ann: Client, sue: Client, project: str, client: Callable[[str], Client]
) -> None:
    p = f"/data/projects/{project}"
    e = ann.put(f"{p}/subjects/S/experiments/M?{MR}").text
    s = ann.get(f"{p}/subjects").json()["ResultSet"]["Result"][0]["ID"]
    ann.put(f"{p}/experiments/M/scans/1?xsiType=xnat:mrScanData")
    there = [p, f"{p}/subjects", f"{p}/subjects/S", f"/data/subjects/{s}", f"/data/experiments/{e}"]
    there += [f"/data/experiments/{e}/scans/1", f"/data/experiments/{e}/scans", f"{p}/scan_types"]
    there += [
        f"/data/experiments/{e}/history",
        f"{p}/config",
        f"{p}/experiments/M/status",
        f"{p}/quarantine_code",
    ]
    for path in there:
        nowhere = path.replace(project, "NOSUCH").replace(s, "CDB_S99999").replace(e, "CDB_E99999")
        for method in ("GET", "DELETE"):
            mine, none = sue.request(method, path), sue.request(method, nowhere)
            assert mine.status_code == none.status_code != 200, path
            names = ((project, "NOSUCH"), (s, "CDB_S99999"), (e, "CDB_E99999"))
            said = mine.text
            for known, unknown in names:
                said = said.replace(known, unknown)
            assert said == none.text, path
    for path in (f"/data/subjects/{s}?src=x", f"/data/experiments/{e}?note=x"):
        assert sue.put(path).status_code == 404
        assert client("col").put(path).status_code == 403
    assert s not in sue.get("/data/subjects").text
    assert e not in sue.get("/data/experiments").text


def test_other_peoples_things_in_ones_own_project(ann: Client, sue: Client, project: str) -> None:
    """A reference to what one may not read finds nothing."""
    e = ann.put(f"/data/projects/{project}/subjects/S/experiments/M?{MR}").text
    s = ann.get(f"/data/projects/{project}/subjects").json()["ResultSet"]["Result"][0]["ID"]
    own = f"/data/projects/{project}sue"
    assert sue.put(own).status_code == 200
    assert sue.put(f"{own}/subjects/T/experiments/N?{MR}").status_code == 201
    assert sue.put(f"{own}/experiments/N?subject_ID={s}").status_code == 404
    assert sue.put(f"{own}/subjects/{s}/experiments/X?{MR}&label=X").status_code == 404
    assert sue.put(f"{own}/subjects/{s}").status_code == 404
    assert sue.put(f"{own}/subjects/CDB_S99999").status_code == 404, "and says the same of what is nowhere"
    qc = "xsiType=xnat:qcManualAssessorData"
    assert sue.put(f"{own}/experiments/{e}/assessors/A?{qc}").status_code == 404
    assert sue.put(f"{own}/experiments/N/assessors/A?{qc}&session_ID={e}").status_code in (400, 404)
    assert sue.put(f"{own}/subjects/T?xnat:subjectData/ID={s}").status_code == 400
    assert sue.put(f"{own}/subjects/T2?xnat:subjectData/ID={s}").status_code == 409
    shares = {
        "xnat:subjectData/sharing/share[project=" + project + "]/label": "x",
    }
    assert sue.put(f"{own}/subjects/T", params=shares).status_code in (403, 404)
    assert ann.get(f"/data/projects/{project}/subjects").json()["ResultSet"]["totalRecords"] == "1"


def test_edits_at_once_are_not_lost(ann: Client, project: str, url: str) -> None:
    s = f"/data/projects/{project}/subjects/C"
    ann.put(s)
    etag = ann.get(s + "?format=json").headers["etag"]
    assert ann.put(f"{s}?group=a", headers={"If-Match": etag}).status_code == 200
    lost = ann.put(f"{s}?group=b", headers={"If-Match": etag})
    assert (lost.status_code, "changed meanwhile" in lost.text) == (412, True)
    assert ann.delete(s, headers={"If-Match": etag}).status_code == 412
    assert ann.put(s, headers={"If-None-Match": "*"}).status_code == 412
    for new in (s + "new", f"/data/projects/{project}new"):
        assert ann.put(new, headers={"If-Match": etag}).status_code == 412
        assert ann.get(new).status_code == 404
    now = ann.get(s + "?format=xml").headers["etag"]
    assert ann.get(s + "?format=xml", headers={"If-None-Match": now}).status_code == 304
    assert ann.put(f"{s}?group=c", headers={"If-Match": "*"}).status_code == 200

    # One of many who start from the same revision wins, every time.
    state = ann.get(s + "?format=json").headers["etag"]
    outcomes: list[int] = []

    def edit(number: int) -> None:
        with Client(base_url=url, auth=("ann", PASSWORD), timeout=60) as own:
            outcomes.append(own.put(f"{s}?src=v{number}", headers={"If-Match": state}).status_code)

    threads = [threading.Thread(target=edit, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [200, *[412] * 5]


def test_making_the_same_at_once_makes_one(project: str, url: str, ann: Client) -> None:
    made: list[tuple[int, str]] = []

    def make() -> None:
        with Client(base_url=url, auth=("ann", PASSWORD), timeout=60) as own:
            answer = own.put(f"/data/projects/{project}/subjects/SAME?gender=female")
            made.append((answer.status_code, answer.text))

    threads = [threading.Thread(target=make) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(status for status, _ in made) == [200] * 5 + [201]
    assert len({text for _, text in made}) == 1


def test_scans_put_at_once_are_all_there(project: str, url: str, ann: Client) -> None:
    m = f"/data/projects/{project}/subjects/S/experiments/M"
    ann.put(f"{m}?{MR}")
    numbers = itertools.count(1)
    statuses: list[int] = []

    def put() -> None:
        with Client(base_url=url, auth=("ann", PASSWORD), timeout=60) as own:
            n = next(numbers)
            statuses.append(own.put(f"{m}/scans/own{n}?xsiType=xnat:mrScanData").status_code)
            statuses.append(own.post(f"{m}/scans?xsiType=xnat:mrScanData").status_code)

    threads = [threading.Thread(target=put) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    n_made = sum(status == 200 for status in statuses)
    assert set(statuses) <= {200, 409}
    assert ann.get(f"{m}/scans").json()["ResultSet"]["totalRecords"] == str(n_made)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("columns=" + ",".join(["label"] * 3000), 200),
        ("label=" + ",".join(f"L{n}" for n in range(3000)), 200),
        ("&".join(f"a{n}=1" for n in range(1500)), 200),
        ("label=" + ",".join(f"L{n}*" for n in range(3000)), 400),
        ("limit=99999999999999999999", 400),
        ("offset=-1", 400),
        ("sortBy=nothing", 400),
        ("sortBy=label&sortOrder=UP", 400),
        ("age=1-", 400),
        ("xnat:subjectData/nothing=1", 400),
        ("xnat:nothing/label=1", 400),
        ("label=a%00b", 400),
        ("columns=xnat:subjectData/%00", 200),
        ("format=pdf", 400),
        ("xsiType=" + ",".join(["xnat:subjectData"] * 500), 200),
    ],
)
def test_queries_of_any_size(ann: Client, project: str, query: str, status: int) -> None:
    ann.put(f"/data/projects/{project}/subjects/Q")
    answer = ann.get(f"/data/projects/{project}/subjects?{query}")
    assert answer.status_code == status, answer.text[:300]


def test_large_bodies_and_many_fields(ann: Client, project: str) -> None:
    s = f"/data/projects/{project}/subjects/B"
    ann.put(s)
    form = {f"xnat:subjectData/fields/field[name=v{n}]/field": str(n) for n in range(500)}
    assert ann.put(s, data=form).status_code == 200
    assert ann.get(s + "?format=xml").text.count("<xnat:field ") == 500
    too_many = {f"xnat:subjectData/fields/field[name=v{n}]/field": "1" for n in range(6000)}
    assert ann.put(s, data=too_many).status_code == 400
    assert ann.put(s, content=b"<" + b"x" * (17 * 2**20)).status_code == 413
    deep = b"<a>" * 5000
    assert ann.put(s, content=deep, headers={"Content-Type": "text/xml"}).status_code == 422


def test_one_leaf_of_an_entry_never_takes_the_entry(ann: Client, project: str) -> None:
    m = f"/data/projects/{project}/subjects/S/experiments/M"
    ann.put(f"{m}?{MR}")
    ann.put(f"{m}/scans/1?xsiType=xnat:mrScanData&quality=usable")
    for path in ("scans/scan/quality", "scans/scan[ID=1]/quality", "scans/scan/ID", "scans/scan"):
        assert ann.put(m, params={f"xnat:mrSessionData/{path}": "NULL"}).status_code == 400, path
    assert ann.get(f"{m}/scans").json()["ResultSet"]["totalRecords"] == "1"


def test_a_replacing_document_keeps_what_is_more_than_it(ann: Client, project: str, site: Site) -> None:
    """`allowDataDeletion` on a subject deletes none of its experiments."""
    p = f"/data/projects/{project}"
    ann.put(f"{p}/subjects/K/experiments/M?{MR}")
    ann.put(f"{p}/subjects/K?gender=female&src=x")
    empty = '<xnat:Subject xmlns:xnat="http://nrg.wustl.edu/xnat"/>'
    assert ann.put(f"{p}/subjects/K?allowDataDeletion=true", content=empty).status_code == 200
    fields = ann.get(f"{p}/subjects/K?format=json").json()["items"][0]["data_fields"]
    assert set(fields) == {"ID", "project", "label"}
    assert ann.get(f"{p}/experiments/M").status_code == 200
