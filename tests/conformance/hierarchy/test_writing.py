"""PUT, POST and DELETE on every level: statuses and bodies as the reference says them."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

import httpx2
import pytest

from connectomedb.store.site import Site

Client = httpx2.Client
MR = "xsiType=xnat:mrSessionData"
DOCUMENT = """<?xml version="1.0" encoding="UTF-8"?>
<xnat:MRSession label="M1" xmlns:xnat="http://nrg.wustl.edu/xnat" ID="" project=""
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
<xnat:date>2013-05-02</xnat:date><xnat:note>first</xnat:note>
<xnat:fields><xnat:field name="release">Q2</xnat:field></xnat:fields>
<xnat:scans><xnat:scan ID="3" type="T1w" xsi:type="xnat:mrScanData"><xnat:quality>usable</xnat:quality>
</xnat:scan></xnat:scans>
</xnat:MRSession>"""


def item(client: Client, address: str) -> dict[str, object]:
    response = client.get(address, params={"format": "json"})
    assert response.status_code == 200, response.text
    found: dict[str, object] = response.json()["items"][0]
    return found


def fields(client: Client, address: str) -> dict[str, object]:
    found = item(client, address)["data_fields"]
    assert isinstance(found, dict)
    return found


def rows(client: Client, address: str) -> list[dict[str, str]]:
    response = client.get(f"{address}{'&' if '?' in address else '?'}format=csv")
    assert response.status_code == 200, response.text
    return list(csv.DictReader(io.StringIO(response.text)))


def test_projects(ann: Client, sue: Client, project: str, client: Callable[[str], Client]) -> None:
    p = f"/data/projects/{project}"
    assert (ann.put(p + "?name=Named&alias=nick" + project).text) == ""
    assert fields(ann, p)["name"] == "Named"
    assert fields(ann, p)["secondary_ID"] == project
    assert fields(ann, f"/data/projects/nick{project}")["ID"] == project
    assert client("max").put(p + "?name=mine").status_code == 403
    assert sue.get(p).status_code == 404
    assert sue.put(p).status_code == 403
    assert ann.put(p + "?ID=Other").status_code == 417
    assert ann.put(f"/data/projects/{project.lower()}?ID={project}").status_code == 200
    bad = ann.put("/data/projects/a%20b")
    assert (bad.status_code, bad.text[:35]) == (417, "Invalid character in project ID. 'a")
    assert sue.put(f"/data/projects/X{project}?name=nick{project.upper()}").status_code == 409
    assert sue.put(f"/data/projects/nick{project}").status_code == 409
    posted = sue.post("/data/projects", data={"ID": f"Y{project}", "description": "by form"})
    assert (posted.status_code, posted.text) == (200, f"/data/projects/Y{project}")
    assert posted.headers["location"] == posted.text
    assert sue.put(f"/data/projects/Z{project}?accessibility=open").status_code == 400
    assert ann.delete(p + "?removeFiles=true").status_code == 200
    assert ann.get(p).status_code == 404
    assert ann.put(p).status_code == 403


def test_guests_make_nothing(url: str, project: str) -> None:
    with Client(base_url=url) as nobody:
        assert nobody.put("/data/projects/Guests").status_code == 401
        assert nobody.put(f"/data/projects/{project}/subjects/S").status_code == 401


def test_subjects(ann: Client, sue: Client, project: str, client: Callable[[str], Client]) -> None:
    s = f"/data/projects/{project}/subjects"
    made = ann.put(f"{s}/LS1?gender=female&xnat:subjectData/group=control")
    assert made.status_code == 201
    assert made.text.startswith("CDB_S")
    again = ann.put(f"{s}/LS1?age=26")
    assert (again.status_code, again.text) == (200, made.text)
    assert fields(ann, f"{s}/LS1") == {
        "ID": made.text,
        "project": project,
        "label": "LS1",
        "group": "control",
    }
    assert rows(ann, f"{s}?columns=label,gender,age")[0]["gender"] == "female"
    assert '"field": "demographics"' in ann.get(f"{s}/LS1?format=json").text
    assert ann.put(f"/data/subjects/{made.text}?src=x").status_code == 200
    assert ann.put(f"{s}/LS1?group=NULL").status_code == 200
    assert "group" not in fields(ann, f"{s}/{made.text}")
    assert client("col").put(f"{s}/LS1?age=3").status_code == 403
    assert client("col").put(f"{s}/LS2").status_code == 403
    assert sue.put(f"{s}/LS1?age=3").status_code == 404
    assert sue.put(f"{s}/LS2").status_code == 404
    assert client("max").put(f"{s}/LS2").status_code == 201
    renamed = ann.put(f"{s}/LS2?label=LS3")
    assert (renamed.status_code, renamed.text) == (200, "")
    assert ann.get(f"{s}/LS2").status_code == 404
    taken = ann.put(f"{s}/LS3?label=LS1")
    assert taken.status_code == 409
    assert "in use" in taken.text
    assert ann.put(f"{s}/LS1?ID=other").status_code == 400
    assert ann.put(f"{s}/LS1?project=other").status_code == 409
    for wrong in ("age=old", "gender=neither", "nosuchfield=1", "dob=2013-13-01"):
        refused = ann.put(f"{s}/LS1?{wrong}")
        assert refused.status_code == 400, refused.text
        assert wrong.partition("=")[0] in refused.text
    posted = ann.post(s, params={"label": "LS9"})
    assert posted.status_code == 200
    assert posted.headers["location"] == posted.text
    assert fields(ann, posted.text)["label"] == "LS9"
    assert ann.post(s, params={"label": "LS9"}).status_code == 409
    assert ann.get(f"{s}?label=LS9").json()["ResultSet"]["totalRecords"] == "1"
    chosen = f"MY_{project}"
    assert ann.put(f"{s}/LS10?xnat:subjectData/ID={chosen}").text == chosen
    assert ann.put(f"{s}/LS11?xnat:subjectData/ID={chosen}").status_code == 409
    assert ann.put(f"{s}/LS11?xnat:subjectData/ID=a.b").status_code == 400


def test_custom_variables(ann: Client, project: str) -> None:
    s = f"/data/projects/{project}/subjects/V1"
    ann.put(s)
    # As typed, and as libraries encode it.
    assert ann.put(s + "?xnat:subjectData/fields/field[name=release]/field=Q2").status_code == 200
    assert ann.put(s, params={"xnat:subjectData/fields/field[name=Visit]/field": "a=b"}).status_code == 200
    held = {
        e["data_fields"]["name"]: e["data_fields"]["field"]
        for child in item(ann, s)["children"]  # type: ignore[attr-defined]  # JSON
        for e in child["items"]
    }
    assert held == {"release": "Q2", "Visit": "a=b"}
    listed = rows(
        ann,
        f"/data/projects/{project}/subjects?columns=label,xnat:subjectData/fields/field/name,"
        "xnat:subjectData/fields/field/field",
    )
    assert [
        (r["xnat:subjectdata/fields/field/name"], r["xnat:subjectdata/fields/field/field"]) for r in listed
    ] == [
        ("release", "Q2"),
        ("Visit", "a=b"),
    ]
    assert ann.put(s + "?xnat:subjectData/fields/field[name=release]/field=NULL").status_code == 200
    assert "release" not in ann.get(s + "?format=xml").text
    assert "a=b" in ann.get(s + "?format=xml").text


def test_experiments(ann: Client, sue: Client, project: str, client: Callable[[str], Client]) -> None:
    p = f"/data/projects/{project}"
    e = f"{p}/subjects/E1/experiments"
    made = ann.put(f"{e}/M1?{MR}&date=2013-05-02&note=first")
    assert made.status_code == 201
    assert fields(ann, f"{p}/subjects/E1")["label"] == "E1", "the subject was made on the way"
    assert ann.put(f"{e}/M1?note=second").text == made.text
    assert fields(ann, f"/data/experiments/{made.text}")["note"] == "second"
    assert ann.put(f"{e}/M2").status_code == 417
    assert ann.put(f"{e}/M2?xsiType=xnat:imageSessionData").status_code == 400
    assert ann.put(f"{e}/M2?xsiType=xnat:nothing").status_code == 400
    assert ann.put(f"{e}/M2?xnat:ctSessionData/note=typed").status_code == 201
    assert rows(ann, e + "?columns=xsiType,label")[1]["xsiType"] == "xnat:ctSessionData"
    assert ann.put(f"{e}/M1?xsiType=xnat:ctSessionData").status_code == 409
    assert ann.put(f"{p}/experiments/M1?label=M9").status_code == 200
    assert ann.put(f"{p}/experiments/M9?label=M2").status_code == 409
    assert ann.put(f"{p}/experiments/M9?xnat:mrSessionData/ID=else").status_code == 400
    for wrong in ("date=5-2", "time=noon", "xnat:mrSessionData/age=old", "note=" + "x" * 3000):
        assert ann.put(f"{p}/experiments/M9?{wrong}").status_code == 400, wrong
    for day in ("05/03/2013", "05.03.2013", "20130503", "2013-05-03"):
        ann.put(f"{p}/experiments/M9?date=NULL")
        assert ann.put(f"{p}/experiments/M9", params={"date": day}).status_code == 200
        assert fields(ann, f"{p}/experiments/M9")["date"] == "2013-05-03"
    assert sue.put(f"{p}/experiments/M9?label=M8").status_code == 404
    assert client("col").put(f"{p}/experiments/M9?label=M8").status_code == 403
    assert sue.put(f"{e}/M7?{MR}").status_code == 404
    assert client("col").put(f"{e}/M7?{MR}").status_code == 403
    assert ann.post(f"{p}/subjects/nobody/experiments?{MR}&label=M6").status_code == 404
    posted = ann.post(f"{e}?{MR}&label=M6")
    assert posted.status_code == 200
    assert fields(ann, posted.text)["label"] == "M6"
    assert ann.post(f"{e}?{MR}&label=M6").status_code == 409
    ann.put(f"{p}/subjects/E2")
    assert ann.put(f"{p}/experiments/M6?subject_ID=E2").status_code == 200
    assert [r["label"] for r in rows(ann, f"{p}/subjects/E2/experiments")] == ["M6"]


def test_documents(ann: Client, project: str) -> None:
    p = f"/data/projects/{project}"
    xml = {"Content-Type": "text/xml"}
    made = ann.put(f"{p}/subjects/D1/experiments/M1", content=DOCUMENT, headers=xml)
    assert made.status_code == 201, made.text
    assert fields(ann, f"{p}/experiments/M1/scans/3")["quality"] == "usable"
    less = DOCUMENT.replace("<xnat:note>first</xnat:note>", "").replace("Q2", "Q3")
    # Laid over: the note stays.
    assert ann.put(f"{p}/experiments/M1?inbody=true", content=less).status_code == 200
    assert fields(ann, f"{p}/experiments/M1")["note"] == "first"
    multipart = {"data.xml": ("data.xml", less.encode(), "text/xml")}
    replaced = ann.put(f"{p}/experiments/M1?allowDataDeletion=true", files=multipart)
    assert replaced.status_code == 200, replaced.text
    assert "note" not in fields(ann, f"{p}/experiments/M1")
    # The query string is said last.
    assert (
        ann.put(f"{p}/experiments/M1?req_format=xml&note=last", content=DOCUMENT, headers=xml).status_code
        == 200
    )
    assert fields(ann, f"{p}/experiments/M1")["note"] == "last"
    # Only the query string is read.
    assert ann.put(f"{p}/experiments/M1?req_format=qs&note=qs", content=DOCUMENT).status_code == 200
    form = {"xnat:mrSessionData/note": "by form"}
    assert ann.put(f"{p}/experiments/M1", data=form).status_code == 200
    assert fields(ann, f"{p}/experiments/M1")["note"] == "by form"
    for bad, status in (
        ("<xnat:MRSession", 422),
        (DOCUMENT.replace("MRSession", "Subject"), 400),
        ('<xnat:Subject label="M1" xmlns:xnat="http://nrg.wustl.edu/xnat"/>', 422),
        ("<other/>", 422),
        (DOCUMENT.replace("2013-05-02", "yesterday"), 400),
        (DOCUMENT.replace('project=""', 'project="elsewhere"'), 409),
        (DOCUMENT.replace('label="M1"', 'label="M2"'), 400),
        (DOCUMENT.replace('ID=""', 'ID="other"'), 400),
        ('<!DOCTYPE x [<!ENTITY e "v">]>' + DOCUMENT.partition("?>")[2], 422),
    ):
        refused = ann.put(f"{p}/experiments/M1", content=bad, headers=xml)
        assert refused.status_code == status, (bad[:60], refused.status_code, refused.text)
    elsewhere = DOCUMENT.replace('project=""', f'project="{project}"').replace('label="M1"', 'label="M3"')
    elsewhere = elsewhere.replace("<xnat:scans>", "<xnat:subject_ID>D1</xnat:subject_ID><xnat:scans>")
    assert ann.put(f"/data/experiments/DOC_{project}", content=elsewhere, headers=xml).status_code == 201
    assert fields(ann, f"{p}/experiments/M3")["ID"] == f"DOC_{project}"


def test_scans_reconstructions_and_assessors(
    ann: Client, project: str, client: Callable[[str], Client]
) -> None:
    p = f"/data/projects/{project}"
    ann.put(f"{p}/subjects/A1/experiments/M1?{MR}")
    m = f"{p}/experiments/M1"
    for query in ("xsiType=xnat:mrScanData&type=T1w", "xnat:imageScanData/note=a", "note=b", ""):
        done = ann.put(f"{m}/scans/3?{query}")
        assert (done.status_code, done.text) == (200, ""), query
    assert ann.put(f"{m}/scans/3?xnat:ctScanData/note=c").status_code == 200
    assert fields(ann, f"{p}/subjects/A1/experiments/M1/scans/3")["note"] == "b"
    assert ann.put(f"{m}/scans/4?xsiType=xnat:imageScanData").status_code == 400
    assert ann.put(f"{m}/scans/4").status_code == 400
    assert ann.put(f"{m}/scans/3?xsiType=xnat:ctScanData").status_code == 409
    assert ann.put(f"{m}/scans/T1w?xsiType=xnat:mrScanData&xnat:mrScanData/ID=3").status_code == 409
    assert ann.put(f"{m}/scans/3?xnat:mrScanData/ID=5").status_code == 400
    posted = ann.post(f"{m}/scans?xsiType=xnat:mrScanData&type=T2w")
    assert posted.text.endswith("/scans/1")
    assert ann.post(f"{m}/scans?xsiType=xnat:mrScanData&ID=1").status_code == 409
    assert client("col").put(f"{m}/scans/7?xsiType=xnat:mrScanData").status_code == 403
    assert client("col").delete(f"{m}/scans/3").status_code == 403
    assert [(r["ID"], r["type"], r["xsiType"]) for r in rows(ann, f"{m}/scans")] == [
        ("3", "T1w", "xnat:mrScanData"),
        ("1", "T2w", "xnat:mrScanData"),
    ]
    assert list(rows(ann, f"{m}/scans")[0]) == [
        *("xnat_imagescandata_id", "ID", "type", "quality", "xsiType", "note", "series_description", "URI")
    ]
    assert rows(ann, f"{m}/scans?type=T2*&columns=ID")[0]["ID"] == "1"
    assert rows(ann, f"{m}/scans?xsiType=xnat:ctScanData") == []
    for _ in range(2):
        assert ann.put(f"{m}/reconstructions/R1").status_code == 200
    assert ann.put(f"{m}/reconstructions/R1?type=average").status_code == 200
    assert rows(ann, f"{m}/reconstructions")[0]["type"] == "average"
    a = f"{m}/assessors/QC1"
    made = ann.put(f"{a}?xsiType=xnat:qcManualAssessorData&label=QC1&req_format=qs")
    assert made.status_code == 201
    assert ann.put(f"{a}?note=fine").text == made.text
    assert ann.put(f"{a}?label=QC2").status_code == 400
    (row,) = rows(ann, f"{m}/assessors")
    assert (row["label"], row["session_label"], row["URI"]) == ("QC1", "M1", f"/data/experiments/{made.text}")
    assert fields(ann, f"/data/experiments/{made.text}")["note"] == "fine"
    assert ann.put(f"{p}/experiments/none/assessors/Q?xsiType=xnat:qcManualAssessorData").status_code == 404
    assert [r["label"] for r in rows(ann, f"{p}/experiments")] == ["M1"], "no image assessors among these"
    for address in (f"{m}/scans/3", f"{m}/reconstructions/R1", a):
        assert ann.get(address + "?format=xml").text.startswith("<?xml")
        assert ann.delete(address).status_code == 200
        assert ann.get(address).status_code == 404


def test_deleting_is_guarded(
    ann: Client, sue: Client, project: str, site: Site, client: Callable[[str], Client]
) -> None:
    p = f"/data/projects/{project}"
    s = f"{p}/subjects/G1"
    ann.put(f"{s}/experiments/M1?{MR}")
    subject_id = str(fields(ann, s)["ID"])
    root = client("root")
    root.put(f"/data/projects/{project}x")
    site.archive.grant(f"{project}x", "ann", "owner")
    site.archive.share(subject_id, f"{project}x", "other", site.archive.find_user("root"))
    assert sue.delete(s).status_code == 404
    assert client("col").delete(s).status_code == 403
    assert client("max").delete(p).status_code == 403
    shared = ann.delete(s)
    assert (shared.status_code, "shared" in shared.text) == (409, True)
    # Where it is only shared, deleting takes it out of there.
    listed = rows(ann, s + "/projects")
    assert [(r["label"], r["ID"]) for r in listed] == [("G1", project), ("other", f"{project}x")]
    assert ann.delete(f"/data/projects/{project}x/subjects/other").status_code == 200
    assert rows(ann, f"/data/projects/{project}x/subjects") == []
    assert ann.get(s).status_code == 200
    # A subject with another project's experiment is not deleted with it.
    site.archive.share(subject_id, f"{project}x", "other", site.archive.find_user("root"))
    assert ann.put(f"/data/projects/{project}x/subjects/other/experiments/X1?{MR}").status_code == 201
    assert ann.delete(s + "?deleteShares=true").status_code == 403
    assert ann.delete(p + "?deleteShares=true").status_code == 403
    assert ann.delete(f"/data/projects/{project}x/experiments/X1").status_code == 200
    assert ann.delete(s + "?deleteShares=true&removeFiles=true").status_code == 200
    assert ann.get(f"/data/subjects/{subject_id}").status_code == 404


def test_reasons_where_the_site_wants_them(ann: Client, project: str, site: Site) -> None:
    s = f"/data/projects/{project}/subjects/R1"
    ann.put(s)
    site.archive.set_setting("siteConfig.requireChangeJustification", "true")
    try:
        assert ann.put(s + "?src=x").status_code == 403
        assert ann.delete(s).status_code == 403
        assert ann.put(s + "?src=x&event_reason=as%20asked").status_code == 200
    finally:
        site.archive.set_setting("siteConfig.requireChangeJustification", "false")
    (change,) = ann.get(s + "/history?includeDetails=true").json()["ResultSet"]["Result"]
    assert (change["action"], change["event_user"], change["event_reason"]) == ("changed", "ann", "as asked")
    assert "<xnat:Subject" in change["document"]
    old = ann.get(s + "?format=json&includeHistory=true").json()["items"]
    assert [one["meta"]["isHistory"] for one in old] == [False, True]


def test_status_and_settings(ann: Client, project: str, client: Callable[[str], Client]) -> None:
    p = f"/data/projects/{project}"
    ann.put(f"{p}/subjects/T1/experiments/M1?{MR}")
    m = f"{p}/experiments/M1"
    assert ann.get(m + "/status").text == "active"
    assert ann.put(m + "?quarantine=true").status_code == 200
    assert ann.get(m + "/status").text == "quarantine"
    assert client("max").put(m + "?activate=true").status_code == 403
    assert ann.put(m + "?activate=true").status_code == 200
    assert ann.get(m + "/status").text == "active"
    for name, value in (("prearchive_code", "4"), ("quarantine_code", "0"), ("current_arc", "arc001")):
        assert ann.get(f"{p}/{name}").text == value
    assert ann.put(f"{p}/quarantine_code/1").status_code == 200
    assert ann.get(f"{p}/quarantine_code").text == "1"
    assert client("max").put(f"{p}/quarantine_code/0").status_code == 403
    assert ann.put(f"{p}/quarantine_code/x").status_code == 400
    assert ann.get(f"{p}/nonsense").status_code == 404
    assert ann.put(f"{p}/nonsense/1").status_code == 400


@pytest.mark.parametrize("root", ["/data", "/REST", "/data/archive", "/REST/archive"])
def test_every_root_writes(ann: Client, project: str, root: str) -> None:
    e = f"{root}/projects/{project}/subjects/Z1/experiments/M1"
    assert ann.put(f"{e}?{MR}").status_code == 201
    assert ann.put(f"{e}/scans/1?xsiType=xnat:mrScanData").status_code == 200
    assert rows(ann, f"{e}/scans")[0]["URI"].startswith("/data/experiments/CDB_E")
    assert ann.delete(e).status_code == 200


def test_a_document_that_says_itself_where_it_belongs(ann: Client, sue: Client, project: str) -> None:
    address = "/xapi/archive/upload/xml"
    whole = DOCUMENT.replace('project=""', f'project="{project}"')
    whole = whole.replace("<xnat:scans>", "<xnat:subject_ID>D1</xnat:subject_ID><xnat:scans>")
    assert ann.put(address, content=whole).status_code == 400, "the parameter is required"
    address += "?allowDataDeletion=false"
    assert ann.put(address, content=whole).status_code == 404, "the subject is not there"
    ann.put(f"/data/projects/{project}/subjects/D1")
    stored = ann.put(address, content=whole)
    assert stored.status_code == 200
    assert fields(ann, stored.text)["note"] == "first"
    again = ann.put(address, content=whole.replace("<xnat:note>first</xnat:note>", ""))
    assert again.text == stored.text
    assert fields(ann, stored.text)["note"] == "first"
    assert sue.put(address, content=whole).status_code == 404
    assert ann.put(address, content=DOCUMENT).status_code == 400
    assert ann.put(address, content="<!DOCTYPE x><x/>").status_code == 422
    made = f'<xnat:Project ID="U{project}" xmlns:xnat="http://nrg.wustl.edu/xnat"/>'
    assert ann.put(address, content=made).text == f"/data/projects/U{project}"
