"""The shell examples of the page about HTTP run as they stand, against a site of their own."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectomedb.server.run import ServerThread
from connectomedb.store.site import init_site

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "rest-interface.md"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    with init_site(tmp_path / "site", site_id="CDB") as site:
        site.archive.add_user("ann", "only-for-this-test")
        with ServerThread(site) as running:
            yield running.url


def test_the_shell_of_the_page_runs(server: str, tmp_path: Path) -> None:
    blocks = re.findall(r"```bash\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert len(blocks) == 5
    script = "set -eo pipefail\n" + "\n".join(blocks)
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env={**os.environ, "CDB": server, "LOGIN": "ann:only-for-this-test"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
