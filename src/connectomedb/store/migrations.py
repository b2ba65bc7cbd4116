"""The core tables from one version of the software to the next.

Each step is one transaction that also writes the version: interrupted anywhere, the database is of the
version before or of the version after. What data types need is `growth`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlalchemy import Connection, Engine, insert, inspect, select, update

from connectomedb.errors import ConfigurationError
from connectomedb.store import growth, steps
from connectomedb.store import tables as t
from connectomedb.store.engine import writing

Step = Callable[[Connection, t.Layout], None]
STEPS: Mapping[int, Step] = {1: steps.parts_become_items}


def create(engine: Engine, layout: t.Layout) -> None:
    """Make the tables of a new site; an existing one is brought to this version."""
    if not inspect(engine).has_table(t.schema_version.name):
        with writing(engine) as connection:
            t.core.create_all(connection)
            connection.execute(insert(t.schema_version).values(version=t.SCHEMA_VERSION))
            connection.execute(insert(t.counter), [{"name": name, "value": 0} for name in t.COUNTERS])
    upgrade(engine, layout)


def upgrade(engine: Engine, layout: t.Layout) -> None:
    """Bring a database to this version, step by step.

    Raises  ConfigurationError when it holds no site, or one of a version that is not known here
    """
    if not inspect(engine).has_table(t.schema_version.name):
        raise ConfigurationError("the database holds no site yet; make one with `connectomedb init`")
    while (found := _version(engine)) != t.SCHEMA_VERSION:
        if found not in STEPS:
            raise ConfigurationError(
                f"the database has schema version {found}, this software reads up to {t.SCHEMA_VERSION}; "
                "use the software that made it, or restore a backup of this version"
            )
        with writing(engine) as connection:
            # Whoever opens the site at the same time waits here, and then finds the step done.
            held = connection.scalar(select(t.schema_version.c.version).with_for_update())
            if held == found:
                STEPS[found](connection, layout)
                connection.execute(update(t.schema_version).values(version=found + 1))
    _add_missing_tables(engine)
    growth.follow_types(engine, layout)
    growth.add_indexes(engine, layout)


def _add_missing_tables(engine: Engine) -> None:
    """Tables of modules that are newer than the site."""
    there = set(inspect(engine).get_table_names())
    if set(t.core.tables) - there:
        with writing(engine) as connection:
            t.core.create_all(connection)


def _version(engine: Engine) -> int:
    with engine.connect() as connection:
        found: int = connection.execute(select(t.schema_version.c.version)).scalar_one()
    return found
