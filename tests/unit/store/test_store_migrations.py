"""The migrations build exactly the tables that the program is written against."""

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from gapsvc.store import Store, StoreError
from gapsvc.store.database import open_engine
from gapsvc.store.tables import metadata


def test_migrations_and_tables_are_the_same(store: Store, store_url: str) -> None:
    engine = open_engine(store_url)
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)
    engine.dispose()

    assert differences == []


def test_migrating_again_changes_nothing(store: Store, store_url: str) -> None:
    store.migrate()

    engine = open_engine(store_url)
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT version_num FROM alembic_version")).all() == [("0001",)]
    engine.dispose()


def test_a_store_that_was_never_migrated_says_so(store_url: str) -> None:
    with Store.open(store_url) as empty, pytest.raises(StoreError, match="that the schema is migrated"):
        empty.ping()


def test_a_migrated_store_answers(store: Store) -> None:
    store.ping()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("sqlite://", "SQLite needs a file"),
        ("sqlite:///:memory:", "SQLite needs a file"),
        ("mysql://localhost/gaps", "can't use mysql"),
        ("gaps.db", "the store's URL can't be read"),
    ],
)
def test_a_wrong_url_is_explained(url: str, message: str) -> None:
    with pytest.raises(StoreError, match=message):
        Store.open(url)


def test_sqlite_is_opened_with_the_settings_that_the_store_relies_on(tmp_path_factory: pytest.TempPathFactory) -> None:
    engine = open_engine(f"sqlite:///{tmp_path_factory.mktemp('new') / 'folder' / 'gapsvc.db'}")
    with engine.connect() as connection:
        settings = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "foreign_keys", "busy_timeout", "synchronous")
        }
    engine.dispose()

    assert settings == {"journal_mode": "wal", "foreign_keys": 1, "busy_timeout": 30000, "synchronous": 1}
