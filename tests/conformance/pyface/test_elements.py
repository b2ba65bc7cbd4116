"""Elements and collections of pyxnat's vocabulary, through our client."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
from tests.conformance.pyface.conftest import PASSWORD

from connectomedb.client.elements import Element
from connectomedb.client.hierarchy import Experiment, Project, Subject
from connectomedb.client.interface import Interface
from connectomedb.client.transport import RecordingTransport
from connectomedb.errors import ConfigurationError, NoSuchSubject, NotFound, QueryError


def test_a_deep_element_is_made_with_all_that_it_stands_in(cdb: Interface, project: Project) -> None:
    path = f"/project/{project.id()}/subject/new/experiment/new_MR/scan/4"
    scan = cdb.select(path)
    assert not scan.exists()
    scan.create(experiments="xnat:mrSessionData", scans="xnat:mrScanData")
    assert scan.exists()
    assert scan.datatype() == "xnat:mrScanData"
    assert scan.parent().datatype() == "xnat:mrSessionData"
    assert [e.label() for e in project.experiments()] == ["new_MR"]


def test_creating_twice_changes_nothing(subject: Subject, wire: RecordingTransport) -> None:
    subject.attrs.set("demographics/gender", "female")
    wire.requests.clear()
    subject.create()
    assert [r.method for r in wire.requests] == ["GET"]
    assert subject.attrs.get("gender") == "female"


def test_an_element_from_a_document(project: Project, tmp_path: Path) -> None:
    document = tmp_path / "s.xml"
    document.write_text(
        '<xnat:Subject xmlns:xnat="http://nrg.wustl.edu/xnat" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><xnat:demographics '
        'xsi:type="xnat:demographicData"><xnat:gender>male</xnat:gender></xnat:demographics>'
        "</xnat:Subject>"
    )
    made = project.subject("by_xml").create(xml=str(document))
    assert made.xpath("//xnat:gender/text()") == ["male"]
    assert "xnat" in made.namespaces()
    with pytest.raises(ConfigurationError, match=r"none\.xml"):
        project.subject("other").create(xml=str(tmp_path / "none.xml"))


def test_attributes(session: Experiment, wire: RecordingTransport) -> None:
    session.attrs.mset({"date": "2013-03-05", "note": "synthetic"})
    wire.requests.clear()
    assert session.attrs.mget(["xnat:mrSessionData/date", "note", "scanner"]) == [
        "2013-03-05",
        "synthetic",
        None,
    ]
    assert len(wire.requests) == 1
    assert "date" in session.attrs()


def test_collections(cdb: Interface, project: Project, wire: RecordingTransport) -> None:
    for name in ("a1", "a2", "b1"):
        project.subject(name).create()
    subjects = project.subjects()
    assert subjects.get("label") == ["a1", "a2", "b1"]
    assert project.subjects("a*").get("label") == ["a1", "a2"]
    wire.requests.clear()
    assert [label for _, label in subjects.get("id", "label")] == ["a1", "a2", "b1"]
    assert len(wire.requests) == 1
    first = subjects.first()
    assert first is not None
    assert subjects[0].id() == first.id()
    assert [s.label() for s in subjects[1:]] == ["a2", "b1"]
    assert subjects
    assert not project.experiments()
    assert cdb.select(f"/projects/{project.id()}/subjects/a*").get("label") == ["a1", "a2"]
    with pytest.raises(QueryError, match="'id', 'label' and 'obj'"):
        subjects.get("age")
    with pytest.raises(QueryError, match="experiments"):
        list(subjects.scans())


def test_collections_nest_and_paths_find_every_way(
    cdb: Interface, session: Experiment, project: Project
) -> None:
    session.scan("4").create(type="T1w")
    session.scan("5").create(scans="xnat:mrScanData")
    assert project.subjects().experiments().scans().get() == ["4", "5"]
    assert sorted(cdb.select(f"/projects/{project.id()}//scans").get()) == ["4", "5"]
    assert cdb.select(f"/projects/{project.id()}//scans/5").get() == ["5"]
    assert session.children() == ["assessors", "reconstructions", "scans", "resources"]
    assert {one.id() for one in session.children(False)} == {"4", "5"}
    assert session.scan("4").attrs.get("type") == "T1w"


def test_where_chooses_by_subjects(cdb: Interface, project: Project, wire: RecordingTransport) -> None:
    for label, gender in (("f1", "female"), ("m1", "male")):
        project.subject(label).create().attrs.set("demographics/gender", gender)
        project.subject(label).experiment(f"{label}_MR").create()
    female = [("xnat:subjectData/GENDER_TEXT", "=", "F"), "AND"]
    wire.requests.clear()
    assert project.subjects().where(female).get("label") == ["f1"]  # one subject: pyxnat finds none
    assert len(wire.requests) == 2
    assert project.experiments().where(female).get("label") == ["f1_MR"]
    with pytest.raises(QueryError, match="belongs to no subject"):
        list(cdb.select.projects(project.id()).where(female))


def test_sharing(cdb: Interface, subject: Subject) -> None:
    other = cdb.select.project(f"{subject.parent().id()}_B")  # type: ignore[union-attr]  # it stands in a project
    other.create()
    subject.share(other.id(), label="uno")
    assert subject.shares().get() == [subject.parent().id(), other.id()]  # type: ignore[union-attr]  # as above
    assert other.subject("uno").exists()
    assert other.subjects().sharing([other.id()]).get("label") == ["uno"]
    subject.unshare(other.id())
    assert not other.subject("uno").exists(consistent=True)


def test_deleting(subject: Subject) -> None:
    subject.delete()
    assert not subject.exists()
    with pytest.raises(NoSuchSubject, match="'one'"):
        subject.label()
    with pytest.raises(NotFound):
        subject.delete()


def test_what_a_project_is(project: Project) -> None:
    project.attrs.set("description", "SYNTHETIC")
    assert project.description() == "SYNTHETIC"
    assert project.accessibility() in ("private", "protected")
    project.set_accessibility("public")
    assert project.accessibility() == "public"
    code = project.prearchive_code()
    project.set_prearchive_code(code)
    assert project.prearchive_code() == code
    assert isinstance(project.quarantine_code(), int)
    assert project.aliases() == []
    made = project.subject("x").create()
    assert list(project.last_modified()) == [made.id()]


def test_who_is_in_a_project(project: Project) -> None:
    assert project.owners() == ["ann"]
    project.add_user("max", "collaborator")
    assert project.user_role("max") == "collaborator"
    assert sorted(project.users()) == ["ann", "max"]
    assert project.collaborators() == ["max"]
    project.remove_user("max")
    assert project.users() == ["ann"]
    with pytest.raises(NotFound, match="'max'"):
        project.remove_user("max")
    with pytest.raises(QueryError, match="owner, member, collaborator"):
        project.add_user("max", "king")


def test_custom_variables(project: Project) -> None:
    project.add_custom_variables({"Subjects": {"mine": {"score": "float", "note": "string"}}})
    assert project.get_custom_variables() == {"Subjects": {"mine": {"score": "float", "note": "string"}}}


def test_parameters_and_provenance(session: Experiment) -> None:
    scan = session.scan("4").create()
    scan.set_param("dose", "3")
    assert (scan.params(), scan.get_param("dose"), scan.get_param("none")) == (["dose"], "3", None)
    made = session.assessor("qc").create(assessors="xnat:qcAssessmentData")
    step = {
        "program": "bet",
        "program_version": "1.0",
        "timestamp": "2013-03-05T10:00:00",
        "user": "ann",
        "machine": "box",
        "platform": "linux",
    }
    made.provenance.set(step)
    made.provenance.set({**step, "program": "fast"})
    assert [one["program"] for one in made.provenance.get()] == ["bet", "fast"]
    assert made.provenance.get()[0]["program_version"] == "1.0"
    made.provenance.set(step, overwrite=True)
    assert [one["program"] for one in made.provenance.get()] == ["bet"]
    with pytest.raises(ValueError, match="lacks user, machine"):
        made.provenance.set({"program": "x", "timestamp": "2013-03-05T10:00:00"})


def test_bare_requests_answer_whatever_comes(cdb: Interface, project: Project) -> None:
    answer = cdb.get("/data/projects", params={"format": "json"})
    assert (answer.status_code, answer.ok) == (200, True)
    assert project.id() in {row["ID"] for row in answer.json()["ResultSet"]["Result"]}
    assert cdb.get("/data/projects/none").status_code == 404
    assert cdb.head(f"/data/projects/{project.id()}").status_code == 200
    assert cdb.put(f"/data/projects/{project.id()}/subjects/raw?gender=male").ok
    assert project.subject("raw").attrs.get("gender") == "male"
    assert cdb.delete(f"/data/projects/{project.id()}/subjects/raw").ok
    with pytest.raises(TypeError, match="verify"):
        cdb.get("/data/projects", verify=False)


def test_configuration_files_and_pickles(
    cdb: Interface, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = tmp_path / "x.cfg"
    cdb.save_config(saved)
    assert saved.stat().st_mode & 0o077 == 0
    with Interface(config=saved) as again:
        assert again.select.projects().get() == cdb.select.projects().get()
    with pickle.loads(pickle.dumps(again)) as other:
        assert other.version()["version"]
    with Interface(url, anonymous=True) as guest:
        guest.load_config(saved)
        assert guest.manage.users()
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".xnatPass").write_text(f"# mine\n+ann@{url}={PASSWORD}\n")
    with Interface() as found:
        assert "ann" in found.manage.users()
    with pytest.raises(ConfigurationError, match=r"none\.cfg"):
        Interface(config=tmp_path / "none.cfg")
    (tmp_path / ".xnatPass").unlink()
    with pytest.raises(ConfigurationError, match="no server"):
        Interface()


def test_what_the_server_knows(cdb: Interface, session: Experiment, project: Project) -> None:
    scan: Element = session.scan("4").create(type="T1w")
    assert scan.id() in cdb.inspect.scan_values("xnat:mrSessionData", project.id())
    assert "xnat:mrSessionData" in cdb.inspect.experiment_types()
    assert "T1w" in cdb.inspect.scan_types()
    assert project.id() in cdb.inspect.project_values()
    assert cdb.inspect.subject_values(project.id()) == project.subjects().get()
    assert cdb.inspect.experiment_values("xnat:mrSessionData", project.id()) == [session.id()]
    assert session.label() in cdb.inspect.field_values("xnat:mrSessionData/LABEL")
    assert "xnat" in cdb.inspect.schemas()
    assert "xnat:mrSessionData" in cdb.inspect()
    assert "    - subjects" in cdb.inspect.structure()
    assert cdb.manage.users.email("ann") is not None
    with pytest.raises(NotFound, match="'nobody'"):
        cdb.manage.users.id("nobody")


def test_tables_over_the_site(cdb: Interface, session: Experiment, project: Project) -> None:
    session.scan("4").create(type="T1w")
    table = cdb.array.mrsessions(project_id=project.id(), columns=["date"])
    assert table.get("ID") == [session.id()]
    scans = cdb.array.scans(project_id=project.id(), columns=["xnat:imageScanData/type"])
    assert len(scans) == 1
    assert "T1w" in scans.items()[0]
