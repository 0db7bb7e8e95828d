"""Settings: one table, read from a TOML file and then the environment (docs/settings.md lists the same rows).

Order: the default, then `gapsvc.toml` in GAPSVC_HOME (or the file that GAPSVC_CONFIG names), then the environment.
An unknown key or a value of the wrong kind is an error that names the file or variable and suggests the right one.
Secrets are never settings: a client is known by the SHA-256 of its token, and a source's token is read from the
environment variable that the source names.
"""

import difflib
import os
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from gapsvc.security.scopes import is_scope


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
    text = str(value)
    if isinstance(value, bool) or not (text.isascii() and text.isdecimal() and len(text) <= 9):
        raise ValueError("expected a whole number")
    return int(text)


def _at_least_one(value: Any) -> int:
    number = _number(value)
    if number < 1:
        raise ValueError("expected a whole number from 1 on")
    return number


def _base_url(value: Any) -> str:
    text = _text(value)
    if text and not re.fullmatch(r"https?://[^\s/?#]+[^\s?#]*", text):
        raise ValueError("expected an address that begins with http:// or https://, e.g. https://gaps.example/fhir")
    return text.rstrip("/")


def _id(value: Any) -> str:
    text = _text(value)
    if not re.fullmatch(r"[A-Za-z0-9\-.]{1,64}", text):
        raise ValueError("expected a FHIR id: 1 to 64 of A-Z a-z 0-9 - .")
    return text


def _name(value: Any) -> str:
    text = _text(value)
    if not text.strip():
        raise ValueError("expected a name")
    return text


def _port(value: Any) -> int:
    number = _number(value)
    if number > 65535:
        raise ValueError("expected a port, 0 to 65535 (0 picks a free one)")
    return number


def day_of(text: str) -> date:
    """A day written YYYY-MM-DD, and in no other way.

    Raises:
        ValueError: it is none.
    """
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
        raise ValueError(f"{text!r} is no day; expected YYYY-MM-DD")
    return date.fromisoformat(text)


def _day(value: Any) -> date | None:
    if type(value) is date:  # TOML has times as well, which are dates to Python
        return value
    if value == "":
        return None
    try:
        return day_of(value)
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


def _origins(value: Any) -> tuple[str, ...]:
    found = _texts(value)
    for text in found:
        if not re.fullmatch(r"https?://[a-z0-9.\-]+(:\d{1,5})?|https?://\[[0-9a-f:]+\](:\d{1,5})?", text):
            raise ValueError(f"expected origins (https://ehr.example, no path, no *), not {text!r:.80}")
    return found


def _zip_digits(value: Any) -> int:
    number = _number(value)
    if number not in (3, 5):
        raise ValueError("expected 3 or 5")
    return number


SETTINGS = (
    Setting(
        "database.url",
        "",
        _text,
        "SQLAlchemy URL of the store; empty: SQLite in GAPSVC_HOME/gapsvc.db. PostgreSQL: postgresql+psycopg://...",
    ),
    Setting("server.host", "127.0.0.1", _name, "address that the service listens on"),
    Setting("server.port", 8080, _port, "port that the service listens on; 0 picks a free one"),
    Setting("server.threads", 4, _at_least_one, "worker threads of the built-in server"),
    Setting("server.base_url", "", _base_url, "the service's public FHIR base URL; empty: http://HOST:PORT/fhir"),
    Setting("log.level", "info", _choice("debug", "info", "warning", "error"), "least level that is logged"),
    Setting("log.format", "auto", _choice("auto", "console", "json"), "auto: console on a terminal, JSON elsewhere"),
    Setting("reporter.id", "gapsvc", _id, "id of the Organization that reports (MeasureReport.reporter)"),
    Setting("reporter.name", "gapsvc", _name, "its name, as it is shown in reports"),
    Setting(
        "evaluation.as_of", None, _day, "the day that counts as today; empty: the server's day. For demos and tests"
    ),
    Setting(
        "evaluation.population",
        "clinic",
        _choice("clinic", "plan"),
        "whom the measures are about: clinic (who is in the registry) or plan (continuously enrolled with a plan)",
    ),
    Setting(
        "evaluation.enrolment_check",
        "daily",
        _choice("daily", "monthly"),
        "of the population plan: how enrolment is checked, daily (one gap of 45 days) or monthly (one of a month)",
    ),
    Setting("evaluation.measures", (), _texts, "ids of the measures that are in use; empty: all"),
    Setting(
        "schedule.immunizations",
        "latest",
        _text,
        "the version of CDC's immunization schedule that is in use, or latest; `gapsvc schedule list` names them",
    ),
    Setting(
        "schedule.visits",
        "latest",
        _text,
        "the visit schedule that is in use: a version, latest, or the path of a .toml file (docs/visits.md)",
    ),
    Setting(
        "schedule.visits_overlay",
        "medi-cal",
        _text,
        "the payer's or state's rules of the visit schedule that are laid over the chart; empty: the chart alone",
    ),
    Setting(
        "schedule.ndc_table",
        "",
        _text,
        "CDC's NDC-to-CVX table (delimited text with a heading), for doses that are coded with NDC alone; empty: none",
    ),
    Setting(
        "linking.person_systems",
        ("http://dhcs.ca.gov/medi-cal/cin",),
        _texts,
        "identifier systems that identify a person across records (same identifier and birth date: one person)",
    ),
    Setting(
        "equity.goals",
        "",
        _text,
        "a TOML file of goals for disparities that takes the place of ours; empty: gapsvc/equity/goals.toml",
    ),
    Setting(
        "equity.benchmarks",
        "",
        _text,
        "a TOML file of benchmarks (MPL, HPL) that takes the place of ours; empty: gapsvc/equity/benchmarks.toml",
    ),
    Setting(
        "hooks.origins",
        (),
        _origins,
        "origins whose pages in a browser may call the CDS Hooks service (CORS), e.g. https://ehr.example; empty: none",
    ),
    Setting(
        "stratification.categories",
        "omb-1997",
        _choice("omb-1997", "omb-2024"),
        "categories of race and ethnicity: omb-1997 (two questions) or omb-2024 (one question of seven categories)",
    ),
    Setting(
        "stratification.zip_digits", 5, _zip_digits, "how many digits of a ZIP code people are told apart by: 5 or 3"
    ),
    Setting(
        "reporting.suppress_below",
        11,
        _number,
        "counts of children from 1 up to, not including, this one are not shown in reports, nor what would tell them; "
        "0: all are shown",
    ),
)
_BY_KEY = {setting.key: setting for setting in SETTINGS}
_OTHER_VARIABLES = frozenset({"GAPSVC_HOME", "GAPSVC_CONFIG", "GAPSVC_SESSION_KEY"})
_CLIENT_KEYS = ("id", "token_sha256", "scopes")
_SOURCE_KEYS = ("name", "location", "vendor", "token_variable", "client_id", "group", "code_map")


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """One `[[client]]`: who may call the API, by the SHA-256 (hex) of its bearer token, and with which scopes."""

    id: str
    token_sha256: str
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """One `[[source]]`: an EHR endpoint (URL) or a folder; its vendor's quirks; the variable that holds its token.

    `client_id` is sent to vendors that want it in a header; `group` is the id of the Group whose members are read.
    `code_map` is a file that says which standard codes the source's own stand for (gapsvc.records.codemaps).
    """

    name: str
    location: str
    vendor: str = "generic"
    token_variable: str | None = None
    client_id: str | None = None
    group: str | None = None
    code_map: str | None = None


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

    @property
    def measures_folder(self) -> Path:
        """Where measures that users brought are kept (`gapsvc measures add`)."""
        return self.home / "measures"

    @property
    def cache_folder(self) -> Path:
        """Where compiled measures are kept between processes; it may be deleted at any time (`cql_like.cache`)."""
        return self.home / "cache"

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
            client = ClientSettings(_name(row["id"]), digest, _texts(row["scopes"]))
        except ValueError as error:
            problems.append(f"{at}: {error}")
            continue
        problems.extend(
            f"{at}: {scope!r} is no scope; expected e.g. system/*.rs or system/Patient.read"
            for scope in client.scopes
            if not is_scope(scope)
        )
        found.append(client)
    problems.extend(_repeated(where, "clients", [client.id for client in found]))
    problems.extend(
        f"{where}: clients {first.id!r} and {second.id!r} have the same token"
        for number, first in enumerate(found)
        for second in found[number + 1 :]
        if first.token_sha256 == second.token_sha256 and first.id != second.id
    )
    return tuple(found)


def _repeated(where: str, what: str, names: list[str]) -> list[str]:
    return [f"{where}: two {what} are called {name!r}" for name in sorted({n for n in names if names.count(n) > 1})]


def _sources(tables: Any, where: str, problems: list[str]) -> tuple[SourceSettings, ...]:
    found: list[SourceSettings] = []
    for number, row in enumerate(_tables(tables, "source", _SOURCE_KEYS, where, problems), 1):
        at = f"{where}: [[source]] {number}"
        missing = [key for key in ("name", "location") if key not in row]
        if missing:
            problems.append(f"{at}: {', '.join(missing)} missing")
            continue
        wrong = [key for key, value in row.items() if key in _SOURCE_KEYS and not (isinstance(value, str) and value)]
        if wrong:
            problems.append(f"{at}: {', '.join(wrong)}: expected text")
            continue
        found.append(SourceSettings(**{key: row[key] for key in _SOURCE_KEYS if key in row}))
    problems.extend(_repeated(where, "sources", [source.name for source in found]))
    return tuple(found)
