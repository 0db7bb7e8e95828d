"""Opening a database: SQLite by file or PostgreSQL by URL, with the settings that the store relies on."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy import event, exc
from sqlalchemy.engine import make_url

from gapsvc.records.codemaps import CodeMap
from gapsvc.store.errors import StoreError

BUSY_SECONDS = 30  # how long a writer waits for another one (SQLite has one writer at a time)
_WRITES = "gapsvc_writes"


def open_engine(url: str) -> sa.Engine:
    """An engine for `url` (`sqlite:///FILE` or `postgresql+psycopg://...`), safe to share between threads.

    Raises:
        StoreError: the URL is not one of these two, or SQLite was asked for without a file.
    """
    try:
        parsed = make_url(url)
    except exc.ArgumentError as wrong:
        raise StoreError(
            "the store's URL can't be read; expected sqlite:///FILE or postgresql+psycopg://USER@HOST/DATABASE"
        ) from wrong
    if parsed.drivername in ("sqlite", "sqlite+pysqlite"):
        if not parsed.database or parsed.database == ":memory:":
            raise StoreError("SQLite needs a file, so that threads share it: sqlite:///FILE")
        Path(parsed.database).expanduser().parent.mkdir(parents=True, exist_ok=True)
        engine = sa.create_engine(
            parsed, connect_args={"timeout": BUSY_SECONDS}, pool_size=8, max_overflow=24, hide_parameters=True
        )
        event.listen(engine, "connect", _sqlite_settings)
        event.listen(engine, "begin", _sqlite_begin)
        return engine
    if parsed.get_backend_name() == "postgresql":
        if parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        return sa.create_engine(parsed, pool_size=8, max_overflow=24, pool_pre_ping=True, hide_parameters=True)
    raise StoreError(
        f"the store can't use {parsed.get_backend_name()}; "
        "expected sqlite:///FILE or postgresql+psycopg://USER@HOST/DATABASE"
    )


def _sqlite_settings(connection: Any, _record: Any) -> None:
    # The driver's own transactions begin late and never around SELECT; ours are explicit (see _sqlite_begin).
    connection.isolation_level = None
    cursor = connection.cursor()
    for setting in (
        f"busy_timeout = {BUSY_SECONDS * 1000}",
        "journal_mode = WAL",  # readers go on while one writes
        "synchronous = NORMAL",  # with WAL: a power cut may lose the last commits, never consistency
        "foreign_keys = ON",
        "cache_size = -65536",
        "wal_autocheckpoint = 16000",  # 64 MB: index pages are dirtied over and over, and copied once
        "temp_store = MEMORY",
    ):
        cursor.execute(f"PRAGMA {setting}")
    cursor.close()


def _sqlite_begin(connection: sa.Connection) -> None:
    # A writer takes the lock at once: upgrading a reader fails at once instead of waiting.
    writes = connection.get_execution_options().get(_WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def writing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One transaction that writes: committed at the end, rolled back on an exception."""
    with _reached(), engine.connect().execution_options(**{_WRITES: True}) as connection, connection.begin():
        yield connection


@contextmanager
def reading(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One transaction that only reads, and sees one state of the database throughout."""
    with _reached(), engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection.execution_options(isolation_level="REPEATABLE READ")
        with connection.begin():
            yield connection


@contextmanager
def _reached() -> Iterator[None]:
    try:
        yield
    except (exc.DBAPIError, exc.TimeoutError) as failed:
        # Only the driver's first line, and no chained traceback: PostgreSQL adds the values of the row in question.
        cause = getattr(failed, "orig", None) or failed
        reason = next(iter(str(cause).splitlines()), type(cause).__name__)
        raise StoreError(
            f"the store can't be used: {type(cause).__name__}: {reason}. "
            "Check its URL, the disk, and that the schema is migrated"
        ) from None


def migrate(engine: sa.Engine) -> None:
    """Bring the schema to this program's version (Alembic, `migrations/`); nothing to do where it already is."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with writing(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


class Connected:
    """What the store's parts share: an engine, and transactions on it."""

    def __init__(self, engine: sa.Engine, code_maps: Mapping[str, CodeMap] | None = None) -> None:
        self._engine = engine
        self._code_maps: Mapping[str, CodeMap] = code_maps or {}

    def _reading(self) -> AbstractContextManager[sa.Connection]:
        return reading(self._engine)

    def _writing(self) -> AbstractContextManager[sa.Connection]:
        return writing(self._engine)
