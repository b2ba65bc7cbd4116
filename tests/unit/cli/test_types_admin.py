"""`connectomedb types show` and `types add` on a site's folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from connectomedb.cli.main import main
from connectomedb.schema.model import Item
from connectomedb.store.site import init_site, open_site

MOOD = """<xs:schema targetNamespace="http://example.org/ex" xmlns:ex="http://example.org/ex"
 xmlns:xnat="http://nrg.wustl.edu/xnat" xmlns:xs="http://www.w3.org/2001/XMLSchema">
<xs:element name="Mood" type="ex:mood"/>
<xs:complexType name="mood"><xs:complexContent><xs:extension base="xnat:subjectAssessorData"><xs:sequence>
<xs:element name="total" type="xs:integer" minOccurs="0"/>
</xs:sequence></xs:extension></xs:complexContent></xs:complexType></xs:schema>"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    init_site(tmp_path / "site").close()
    return tmp_path / "site"


def _add(site: Path, content: str, *options: str) -> Result:
    xsd = site.parent / "mood.xsd"
    xsd.write_text(content)
    return CliRunner().invoke(main, ["types", "add", str(xsd), "--site", str(site), *options])


def test_a_type_is_added_and_shown(site: Path) -> None:
    assert "would add ex:mood" in _add(site, MOOD, "--check").output
    assert not (site / "schemas/ex").exists()
    done = _add(site, MOOD, "--json")
    assert json.loads(done.output)["root_elements"] == ["Mood"]
    with open_site(site) as opened:
        assert opened.types.element("ex:mood", "total").value_type == "integer"
    shown = CliRunner().invoke(main, ["types", "show", "ex:mood", "--site", str(site)])
    assert "total\tinteger" in shown.output


def test_the_answer_says_when_the_server_takes_it(site: Path) -> None:
    assert "start the server again" in _add(site, MOOD).output


def test_a_wrong_schema_changes_nothing(site: Path) -> None:
    done = _add(site, MOOD.replace("xs:integer", "xs:intger"))
    assert done.exit_code == 1
    assert "mood.xsd, line 5: the type xs:intger is nowhere" in done.output
    assert not (site / "schemas/ex").exists()


def test_a_schema_that_stored_values_contradict_is_refused(site: Path) -> None:
    _add(site, MOOD)
    with open_site(site) as opened:
        opened.archive.add_project("P", insert_user="admin")
        subject = Item("xnat:subjectData", {"ID": "S1", "label": "s1"})
        mood = Item("ex:mood", {"subject_ID": "S1", "label": "m1", "total": 5})
        opened.archive.store_items([subject, mood], user="admin", project="P")
    before = (site / "schemas/ex/mood.xsd").read_text()
    done = _add(site, MOOD.replace("xs:integer", "xs:date"), "--replace")
    assert done.exit_code == 1
    assert "total" in done.output
    assert (site / "schemas/ex/mood.xsd").read_text() == before
    open_site(site).close()
