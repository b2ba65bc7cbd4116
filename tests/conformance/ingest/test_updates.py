"""`--update`: documents and rows laid over what is there, by the rules of a merge, on both databases."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import select
from tests.conformance.ingest.conftest import MakeSite
from tests.conformance.ingest.test_documents import scores, subject, write

from connectomedb.cli.main import main
from connectomedb.errors import ImportRefused
from connectomedb.schema.documents import read_document, write_document
from connectomedb.schema.model import Item
from connectomedb.store import tables as t
from connectomedb.store.facts import write_facts
from connectomedb.store.ingest import TableOptions, import_table, import_xml
from connectomedb.store.ingest.loading import Sourced
from connectomedb.store.site import Site
from connectomedb.store.writer import Imported
from connectomedb.vocabulary.records import Principal

ADMIN = Principal("curator", is_admin=True)
NEO = b"<nt:NEO><nt:NEOFAC_A>30</nt:NEOFAC_A></nt:NEO>"
FILES = {
    "s1/a.xml": subject(
        "s1", '<xnat:group>one</xnat:group><xnat:fields><xnat:field name="iq">100</xnat:field></xnat:fields>'
    )
    .replace(b"<xnat:group>one</xnat:group>", b"")
    .replace(b'label="s1"', b'label="s1" group="one"'),
    "s1/b.xml": scores("s1_x", "s1"),
    "s2/a.xml": subject("s2"),
}
SAID = {
    "a.xml": subject("s1", '<xnat:fields><xnat:field name="iq">120</xnat:field></xnat:fields>'),
    "b.xml": scores("s1_x", "s1", neo="12", extra="<xnat:note>again</xnat:note>\n"),
    "c.xml": subject("s3"),
    "d.xml": scores("s3_x", "s3", neo="7"),
}


def contents(site: Site) -> dict[str, Item]:
    """Every document, by its label; ids are those of one site."""
    found = {}
    for level in ("subjects", "experiments"):
        for item_id in site.archive.listing(level, ADMIN).column("ID"):
            item = site.archive.load_item(str(item_id), ADMIN)
            found[item.text("label")] = item
    return found


def test_an_update_is_what_a_merge_of_each_document_gives(make_site: MakeSite, tmp_path: Path) -> None:
    first, second = make_site(), make_site()
    for site in (first, second):
        import_xml(site.archive, [write(tmp_path / "in", FILES)], project="P", who=ADMIN)
    report = import_xml(first.archive, [write(tmp_path / "said", SAID)], project="P", who=ADMIN, update=True)
    assert (report.n_stored, report.n_updated) == (4, 2)
    types = second.types
    for name, item_id in (("a.xml", "s1"), ("b.xml", "s1_x")):
        known = contents(second)[item_id].text("ID")
        second.archive.merge_item(known, read_document(SAID[name], types), ADMIN)
    second.archive.store_items(
        [read_document(SAID[n], types) for n in ("c.xml", "d.xml")], user="curator", project="P"
    )
    assert contents(first) == contents(second)
    found = contents(first)
    assert found["s1"].text("group") == "one"
    assert found["s1"].children["fields/field"][0].text("field") == "120"
    assert (found["s1_x"].values["NEO/NEOFAC_A"], found["s1_x"].text("note")) == (12, "again")
    (change,) = first.archive.history(found["s1_x"].text("ID"), ADMIN)
    assert "said/b.xml" in change.reason
    assert first.archive.examine() == ()


def test_documents_follow_each_other(site: Site, tmp_path: Path) -> None:
    """The second says more about what the first brings, and a third calls it by the id that it was given."""
    folder = write(
        tmp_path / "in",
        {"1.xml": subject("s1"), "2.xml": subject("s1").replace(b"label", b'group="two" label')},
    )
    report = import_xml(site.archive, [folder], project="P", who=ADMIN, update=True)
    assert (report.n_stored, report.n_updated) == (2, 1)
    (item_id,) = set(report.ids)
    by_id = subject("s1").replace(b'label="s1"', f'ID="{item_id}" src="three"'.encode())
    report = import_xml(
        site.archive, [write(tmp_path / "more", {"3.xml": by_id})], project="P", who=ADMIN, update=True
    )
    assert (report.ids, report.n_updated) == ((item_id,), 1)
    found = contents(site)["s1"]
    assert (found.text("group"), found.text("src")) == ("two", "three")


def test_a_mirror_follows_its_source(make_site: MakeSite, tmp_path: Path) -> None:
    """Changed over there, exported again, laid over here: with documents, dates and numbers as there."""
    source, mirror = make_site(), make_site()
    mirror.archive.add_project("OWN", insert_user="them")
    mine = Item("xnat:subjectData", {"ID": "Mine", "label": "mine"})
    mirror.archive.store_items([mine], user="them", project="OWN")

    def session(*scans: str, note: str = "") -> Item:
        files = {"file": (Item("xnat:resourceCatalog", {"label": "NIFTI"}),)}
        parts = {"scans/scan": tuple(Item("xnat:mrScanData", {"ID": one}, files) for one in scans)}
        values = {"label": "mr", "subject_ID": "s1", **({"note": note} if note else {})}
        return Item("xnat:mrSessionData", values, parts)

    source.archive.add_project("P", insert_user="them")
    people = [Item("xnat:subjectData", {"label": "s1"}), Item("xnat:subjectData", {"label": "s2"})]
    source.archive.store_items([*people, session("1", "2")], user="them", project="P")
    source.archive.export("P", tmp_path / "first", "xml", ADMIN)
    import_xml(mirror.archive, [tmp_path / "first"], project="P", who=ADMIN)
    (item_id,) = source.archive.listing("experiments", ADMIN).column("ID")
    source.archive.merge_item(str(item_id), session("3", note="new"), ADMIN)
    source.archive.store_items([Item("xnat:subjectData", {"label": "s3"})], user="them", project="P")
    source.archive.export("P", tmp_path / "second", "xml", ADMIN)
    report = import_xml(mirror.archive, [tmp_path / "second"], project="P", who=ADMIN, update=True)
    assert (report.n_stored, report.n_updated) == (5, 4)
    there, here = contents(source), contents(mirror)
    assert {label: here[label] for label in there} == there
    assert roots(mirror) == roots(source)
    assert resources(mirror) == resources(source)
    # Ids of the source look like fresh ones here; the counter passes them by when it comes there.
    assert {problem.check for problem in mirror.archive.examine()} <= {"counter"}


def roots(site: Site) -> dict[str, tuple[object, ...]]:
    """Dates and users of what belongs to P."""
    i = t.item.c
    query = select(i.id, i.insert_date, i.insert_user, i.last_modified)
    with site.archive.engine.connect() as connection:
        found = connection.execute(query.where(i.project == "P", i.place.is_(None)))
        return {row[0]: tuple(row[1:]) for row in found}


def resources(site: Site) -> dict[str, int]:
    """Numbers of the resources of P."""
    i = t.item.c
    with site.archive.engine.connect() as connection:
        found = connection.execute(select(i.id, i.number).where(i.project == "P", i.number.is_not(None)))
        return {row[0]: row[1] for row in found}


def test_a_project_is_updated_and_keeps_who_may_see_it(site: Site, tmp_path: Path) -> None:
    site.archive.add_project("P", description="before", accessibility="private", insert_user="curator")
    said = Item("xnat:projectData", {"ID": "p", "description": "after"})
    stated = Imported(said, datetime(2013, 3, 1), "them", datetime(2014, 1, 1), "public")
    folder = write(tmp_path / "in", {"p.xml": write_facts(write_document(said, site.types), stated)})
    assert import_xml(site.archive, [folder], project="P", who=ADMIN, update=True).n_updated == 1
    assert site.archive.load_project_item("P", ADMIN).text("description") == "after"
    with site.archive.engine.connect() as connection:
        assert connection.scalars(select(t.project.c.accessibility)).all() == ["private"]
        assert connection.execute(select(t.item.c.insert_date, t.item.c.insert_user)).one() == (
            datetime(2013, 3, 1),
            "them",
        )


@pytest.mark.parametrize("keep", ["files", "all"])
def test_a_refused_document_changes_nothing(site: Site, tmp_path: Path, keep: str) -> None:
    import_xml(site.archive, [write(tmp_path / "in", FILES)], project="P", who=ADMIN)
    before = contents(site)
    wrong = {
        "1.xml": scores("s1_x", "s1", neo="many"),
        "2.xml": scores("s1_x", "nobody", neo="1"),
        "3.xml": scores("s1_x", "s1").replace(b"nt:NTScores", b"xnat:MRSession").replace(NEO, b""),
        "4.xml": subject("s2").replace(b'label="s2"', b'label="s2" project="Q"'),
        "5.xml": subject("s2", '<xnat:sharing><xnat:share project="nowhere" label="x"/></xnat:sharing>'),
    }
    fine = {"0.xml": subject("s2").replace(b"label", b'group="new" label')}
    site.archive.add_project("Q", insert_user="curator")
    folder = write(tmp_path / "said", wrong | fine)
    with pytest.raises(ImportRefused) as caught:
        import_xml(site.archive, [folder], project="P", who=ADMIN, update=True, keep=keep)  # type: ignore[arg-type]  # a word
    refused = {Path(r.file).name: r for r in caught.value.report.refused}
    assert set(refused) == set(wrong) - {"4.xml"}  # in Q there is no s2 yet: it is new there
    assert refused["1.xml"].value == "many"
    assert refused["2.xml"].value == "nobody"
    assert "is a nt:scores and does not become a xnat:mrSessionData" in refused["3.xml"].reason
    assert "no project 'nowhere'" in refused["5.xml"].reason
    after = contents(site)
    if keep == "all":
        assert after == before
    else:
        assert after["s1_x"] == before["s1_x"]
        assert caught.value.report.n_stored == 2


def test_an_update_is_taken_up_where_it_ended(site: Site, tmp_path: Path) -> None:
    import_xml(site.archive, [write(tmp_path / "in", FILES)], project="P", who=ADMIN)
    folder = write(tmp_path / "said", SAID)
    whole = {"a.xml": SAID["a.xml"], "b.xml": SAID["b.xml"]}
    first = import_xml(
        site.archive,
        [write(tmp_path / "said", whole) / n for n in whole],
        project="P",
        who=ADMIN,
        update=True,
    )
    again = import_xml(site.archive, [folder], project="P", who=ADMIN, update=True)
    assert (first.n_updated, again.n_known, again.n_stored, again.n_updated) == (2, 2, 2, 0)
    once_more = import_xml(site.archive, [folder], project="P", who=ADMIN, update=True, again=True)
    assert (once_more.n_known, once_more.n_updated) == (0, 4)
    # What says nothing new leaves no trace.
    assert len(site.archive.history(contents(site)["s1_x"].text("ID"), ADMIN)) == 1


def test_without_update_what_is_there_is_refused(site: Site, tmp_path: Path) -> None:
    import_xml(site.archive, [write(tmp_path / "in", FILES)], project="P", who=ADMIN)
    with pytest.raises(ImportRefused):
        import_xml(site.archive, [write(tmp_path / "said", SAID)], project="P", who=ADMIN)
    assert contents(site)["s1_x"].values["NEO/NEOFAC_A"] == 30


def test_rows_are_laid_over(site: Site, tmp_path: Path) -> None:
    import_xml(site.archive, [write(tmp_path / "in", FILES)], project="P", who=ADMIN)
    table = tmp_path / "scores.csv"
    table.write_text("Subject,NEOFAC_A,ER40_CRT,note\ns1,,1500.5,\ns2,9,,new\n")
    options = TableOptions("P", label="{subject}_x")
    report = import_table(site.archive, table, options, who=ADMIN, xsi_type="nt:scores", update=True)
    assert (report.n_stored, report.n_updated) == (2, 1)
    found = contents(site)
    assert (found["s1_x"].values["NEO/NEOFAC_A"], found["s1_x"].values["ER40/ER40_CRT"]) == (30, 1500.5)
    assert found["s2_x"].text("note") == "new"
    table.write_text("Subject,NEOFAC_A\ns1,1\ns2,many\n")
    with pytest.raises(ImportRefused):
        import_table(site.archive, table, options, who=ADMIN, xsi_type="nt:scores", update=True)
    assert contents(site) == found


def test_the_command(tmp_path: Path, make_site: MakeSite) -> None:
    site = make_site()
    import_xml(site.archive, [write(tmp_path / "in", FILES)], project="P", who=ADMIN)
    folder = write(tmp_path / "said", SAID)
    arguments = ["import", "xml", str(folder), "--site", str(site.folder), "--project", "P", "--update"]
    done = CliRunner().invoke(main, [*arguments, "--dry-run", "--json"])
    assert done.exit_code == 0, done.output
    assert contents(site)["s1_x"].values["NEO/NEOFAC_A"] == 30
    done = CliRunner().invoke(main, [*arguments, "--json"])
    assert json.loads(done.stdout)["n_updated"] == 2


def test_an_experiment_in_a_project_that_its_subject_is_shared_into(site: Site, tmp_path: Path) -> None:
    """Both come in one batch: the subject of P, and scores of Q that name it as Q knows it."""
    for project in ("P", "Q"):
        site.archive.add_project(project, insert_user="curator")
    shared = '<xnat:sharing><xnat:share project="Q" label="q1"/></xnat:sharing>'
    there = scores("q1_x", "q1").replace(b'label="q1_x"', b'label="q1_x" project="Q"')
    folder = write(tmp_path / "in", {"1.xml": subject("s1", shared), "2.xml": there})
    with site.archive.loading(user="curator", project="P") as load:
        items = [read_document((folder / n).read_bytes(), site.types) for n in ("1.xml", "2.xml")]
        assert load.add([Sourced(item, "x") for item in items]) == []
    found = contents(site)
    assert found["q1_x"].text("subject_ID") == found["s1"].text("ID")
    assert found["q1_x"].text("project") == "Q"
    assert site.archive.examine() == ()
