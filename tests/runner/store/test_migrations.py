"""Migrations lead to the tables that the code declares, all the way or not at all."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from pools import open_database
from runner import JournalError, Output, migrations, open_journal
from runner.tables import metadata

from .records import job, put


@pytest.fixture
def engine(url):
    opened = open_database(url)
    yield opened
    opened.dispose()


@pytest.mark.parametrize("way", [migrations.upgrade, migrations.migrate])
def test_they_lead_to_the_declared_tables(engine, way):
    """Step by step, and at once in a database that holds nothing yet."""
    way(engine)
    assert migrations.check(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": migrations.VERSION_TABLE})
        assert compare_metadata(context, metadata) == []
        found = inspect(connection)
        keys = {name: found.get_pk_constraint(name)["constrained_columns"] for name in metadata.tables}
        names = {name: found.get_pk_constraint(name)["name"] for name in metadata.tables}
    assert keys == {name: [c.name for c in table.primary_key] for name, table in metadata.tables.items()}
    assert names == {name: f"{name}_key" for name in metadata.tables}


def test_alembic_finds_the_same_revisions():
    config = Config()
    config.set_main_option("script_location", str(migrations.__path__[0]))
    scripts = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    assert list(reversed(scripts)) == migrations.revisions()


def test_a_second_time_changes_nothing(engine):
    assert migrations.stored_revision(engine) is None
    migrations.migrate(engine)
    migrations.migrate(engine)
    migrations.upgrade(engine)
    assert migrations.stored_revision(engine) == migrations.revisions()[-1]


def test_one_that_fails_leaves_nothing(engine):
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE outputs (x INTEGER)"))  # the last one to be made is in the way
    with pytest.raises(JournalError, match="outputs"):
        migrations.migrate(engine)
    assert inspect(engine).get_table_names() == ["outputs"]


def test_a_newer_database_is_refused_and_untouched(url):
    journal = open_journal(url)
    journal.commit([put(job())])
    with journal._writing() as connection:
        connection.execute(text("UPDATE migrations SET version_num = '9999'"))
    for upgrade in (True, False):
        with pytest.raises(JournalError, match=r"newer ebbtide .*9999.*use that version, or a backup"):
            open_journal(url, upgrade=upgrade)
    assert journal.jobs() == [job()]
    journal.close()


def test_an_older_database_is_not_upgraded_by_a_reader(url):
    journal = open_journal(url)
    with journal._writing() as connection:
        connection.execute(text("DELETE FROM migrations"))
    with pytest.raises(JournalError, match="makes them"):
        open_journal(url, upgrade=False)
    journal.close()


def test_outputs_from_before_they_were_kept_by_attempt(engine, url, monkeypatch):
    from alembic import command

    upgrade = command.upgrade
    with monkeypatch.context() as patched:
        patched.setattr(command, "upgrade", lambda config, _: upgrade(config, "0003"))
        migrations.upgrade(engine)
    row = {"owner": "task", "parent": "job", "id": "t", "stream": "stdout", "size": 3, "data": b"abc"}
    body = '{"owner":"task","parent_id":"job","id":"t","stream":"stdout","size":3}'
    insert = "INSERT INTO outputs VALUES (:owner, :parent, :id, :stream, :size, NULL, :data, :body)"
    with engine.begin() as connection:
        connection.execute(text(insert), {**row, "body": body})
    journal = open_journal(url)
    former = Output(owner="task", parent_id="job", id="t", stream="stdout", size=3, data=b"abc")
    assert journal.output("task", "job", "t", "stdout") == former
    later = Output(**{**_fields(former), "attempt": 2})
    journal.commit([put(later)])
    assert journal.output("task", "job", "t", "stdout") == later
    assert journal.output("task", "job", "t", "stdout", 0) == former
    journal.close()


def _fields(output):
    return {name: getattr(output, name) for name in output.__struct_fields__}
