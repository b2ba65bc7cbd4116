"""Find an experiment by what a path says."""

from __future__ import annotations

from sqlalchemy import Connection

from connectomedb.store.subjects import locate
from connectomedb.vocabulary.records import Located, Principal


def locate_experiment(
    connection: Connection, text: str, who: Principal, *, project: str = "", subject: str = ""
) -> Located:
    """The experiment of that id; within a project also of the label it has there.

    With `subject` (an id, or a label in the project) only an experiment of that subject.

    Raises  NoSuchExperiment, also when the user may not see it
    Cost    one statement
    Source  protocol/rest.md 0.7
    """
    return locate(connection, "experiment", text, who, project=project, subject=subject)
