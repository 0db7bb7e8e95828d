"""Settings: one table, read from a TOML file and then the environment (docs/settings.md lists the same rows).

Order: the default, then `gapsvc.toml` in GAPSVC_HOME (or the file that GAPSVC_CONFIG names), then the environment.
An unknown key or a value of the wrong kind is an error that names the file or variable and suggests the right one.
Secrets are never settings: a client is known by the SHA-256 of its token, and a source's token is read from the
environment variable that the source names.
"""

import difflib
import os
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any


class SettingsError(ValueError):
    """Settings that can't be used; one problem a line."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One row: `key` in TOML (`table.name`), its environment variable, what it means, its default and its reader."""

    key: str
    default: Any
    read: Callable[[Any], Any]
    meaning: str

    @property
    def variable(self) -> str:
        return "GAPSVC_" + self.key.upper().replace(".", "_")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("expected text")
    return value


def _number(value: Any) -> int:
    if isinstance(value, bool) or not str(value).isdecimal():
        raise ValueError("expected a whole number")
    return int(value)


def _port(value: Any) -> int:
    number = _number(value)
    if number > 65535:
        raise ValueError("expected a port, 0 to 65535 (0 picks a free one)")
    return number


def _day(value: Any) -> date | None:
    if isinstance(value, date):
        return value
    if value == "":
        return None
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError("expected a day, YYYY-MM-DD, or nothing for today") from None


def _choice(*options: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if value not in options:
            raise ValueError(f"expected one of {', '.join(options)}")
        return value

    return read


def _texts(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    raise ValueError("expected a list of texts (in the environment: separated by commas)")


SETTINGS = (
    Setting(
        "database.url",
        "",
        _text,
        "SQLAlchemy URL of the store; empty: SQLite in GAPSVC_HOME/gapsvc.db. PostgreSQL: postgresql+psycopg://...",
    ),
    Setting("server.host", "127.0.0.1", _text, "address that the service listens on"),
    Setting("server.port", 8080, _port, "port that the service listens on; 0 picks a free one"),
    Setting("server.threads", 4, _number, "worker threads of the built-in server"),
    Setting("server.base_url", "", _text, "the service's public FHIR base URL; empty: http://HOST:PORT/fhir"),
    Setting("log.level", "info", _choice("debug", "info", "warning", "error"), "least level that is logged"),
    Setting("log.format", "auto", _choice("auto", "console", "json"), "auto: console on a terminal, JSON elsewhere"),
    Setting("reporter.id", "gapsvc", _text, "id of the Organization that reports (MeasureReport.reporter)"),
    Setting("reporter.name", "gapsvc", _text, "its name, as it is shown in reports"),
    Setting(
        "evaluation.as_of", None, _day, "the day that counts as today; empty: the server's day. For demos and tests"
    ),
    Setting("evaluation.measures", (), _texts, "ids of the measures that are in use; empty: all"),
    Setting(
        "linking.person_systems",
        ("http://dhcs.ca.gov/medi-cal/cin",),
        _texts,
        "identifier systems that identify a person across records (same identifier and birth date: one person)",
    ),
)
_BY_KEY = {setting.key: setting for setting in SETTINGS}
_OTHER_VARIABLES = frozenset({"GAPSVC_HOME", "GAPSVC_CONFIG"})
_CLIENT_KEYS = ("id", "token_sha256", "scopes")
_SOURCE_KEYS = ("name", "location", "vendor", "token_variable")


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """One `[[client]]`: who may call the API, by the SHA-256 (hex) of its bearer token, and with which scopes."""

    id: str
    token_sha256: str
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """One `[[source]]`: an EHR endpoint (URL) or a folder; its vendor's quirks; the variable that holds its token."""

    name: str
    location: str
    vendor: str
    token_variable: str | None


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of one process. `values` holds the rows of `SETTINGS` by key."""

    home: Path
    values: Mapping[str, Any]
    clients: tuple[ClientSettings, ...] = ()
    sources: tuple[SourceSettings, ...] = ()

    def __getitem__(self, key: str) -> Any:
        return self.values[key]

    @property
    def database_url(self) -> str:
        return self["database.url"] or f"sqlite:///{self.home / 'gapsvc.db'}"

    def with_values(self, **values: Any) -> "Settings":
        """A copy with other values; `server__port=0` stands for the key `server.port`."""
        changed = {name.replace("__", "."): value for name, value in values.items()}
        unknown = changed.keys() - _BY_KEY.keys()
        if unknown:
            raise SettingsError(f"no such setting: {', '.join(sorted(unknown))}")
        return Settings(self.home, {**self.values, **changed}, self.clients, self.sources)


def load(environ: Mapping[str, str] = os.environ, *, home: Path | None = None) -> Settings:
    """Read the settings.

    Raises:
        SettingsError: with every problem in the file and the environment.
    """
    home = home or Path(environ.get("GAPSVC_HOME", "var"))
    file = Path(environ["GAPSVC_CONFIG"]) if "GAPSVC_CONFIG" in environ else home / "gapsvc.toml"
    problems: list[str] = []
    values = {setting.key: setting.default for setting in SETTINGS}
    data = _read_file(file, "GAPSVC_CONFIG" in environ, problems)
    clients = _clients(data.pop("client", []), str(file), problems)
    sources = _sources(data.pop("source", []), str(file), problems)
    for key, value in _flatten(data):
        _take(values, key, value, f"{file}: {key}", _BY_KEY, problems)
    by_variable = {setting.variable: setting for setting in SETTINGS}
    for variable, value in environ.items():
        ours = variable.startswith("GAPSVC_") and not variable.startswith(("GAPSVC_TEST_", "GAPSVC_TOKEN_"))
        if ours and variable not in _OTHER_VARIABLES:
            _take(values, variable, value, f"environment: {variable}", by_variable, problems)
    if problems:
        raise SettingsError("\n".join(problems))
    return Settings(home, values, clients, sources)


def _read_file(file: Path, required: bool, problems: list[str]) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if required:
            problems.append(f"{file}: there is no such file (GAPSVC_CONFIG names it)")
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        problems.append(f"{file}: {error}")
    return {}


def _flatten(data: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    for name, value in data.items():
        if isinstance(value, dict):
            yield from _flatten(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _take(
    values: dict[str, Any],
    name: str,
    value: Any,
    where: str,
    known: Mapping[str, Setting],
    problems: list[str],
) -> None:
    setting = known.get(name)
    if setting is None:
        problems.append(f"{where}: unknown setting{_suggestion(name, [*known, *_OTHER_VARIABLES])}")
        return
    try:
        values[setting.key] = setting.read(value)
    except ValueError as error:
        problems.append(f"{where}: {error}")


def _suggestion(name: str, known: Iterable[str]) -> str:
    names = list(known)
    close = difflib.get_close_matches(name, names, n=1)
    if close:
        return f"; did you mean {close[0]}?"
    return f"; expected one of {', '.join(names)}" if len(names) <= 6 else ""


def _tables(tables: Any, table: str, keys: tuple[str, ...], where: str, problems: list[str]) -> list[dict[str, Any]]:
    if not isinstance(tables, list):
        problems.append(f"{where}: {table} must be written as [[{table}]]")
        return []
    for number, row in enumerate(tables, 1):
        problems.extend(
            f"{where}: [[{table}]] {number}: unknown key {key!r}{_suggestion(key, keys)}"
            for key in row
            if key not in keys
        )
    return tables


def _clients(tables: Any, where: str, problems: list[str]) -> tuple[ClientSettings, ...]:
    found: list[ClientSettings] = []
    for number, row in enumerate(_tables(tables, "client", _CLIENT_KEYS, where, problems), 1):
        at = f"{where}: [[client]] {number}"
        missing = [key for key in _CLIENT_KEYS if key not in row]
        if missing:
            problems.append(f"{at}: {', '.join(missing)} missing")
            continue
        digest = str(row["token_sha256"]).lower()
        if len(digest) != 64 or any(char not in "0123456789abcdef" for char in digest):
            problems.append(f"{at}: token_sha256 must be 64 hexadecimal digits; `python -m gapsvc token` makes one")
            continue
        try:
            found.append(ClientSettings(_text(row["id"]), digest, _texts(row["scopes"])))
        except ValueError as error:
            problems.append(f"{at}: {error}")
    return tuple(found)


def _sources(tables: Any, where: str, problems: list[str]) -> tuple[SourceSettings, ...]:
    found: list[SourceSettings] = []
    for number, row in enumerate(_tables(tables, "source", _SOURCE_KEYS, where, problems), 1):
        at = f"{where}: [[source]] {number}"
        missing = [key for key in ("name", "location") if key not in row]
        if missing:
            problems.append(f"{at}: {', '.join(missing)} missing")
            continue
        found.append(
            SourceSettings(
                str(row["name"]), str(row["location"]), str(row.get("vendor", "generic")), row.get("token_variable")
            )
        )
    names = [source.name for source in found]
    problems.extend(
        f"{where}: two sources are called {name!r}" for name in sorted({n for n in names if names.count(n) > 1})
    )
    return tuple(found)
