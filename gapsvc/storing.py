"""The store that the settings name, and the code maps of their sources."""

from collections.abc import Mapping
from pathlib import Path

from gapsvc.config import Settings
from gapsvc.records.codemaps import CodeMap, CodeMapRefused, read_code_map
from gapsvc.store import Store


def store_of(settings: Settings) -> Store:
    """The settings' store, not yet migrated; it reads records through the sources' code maps.

    Raises:
        StoreError: the database can't be used.
        CodeMapRefused: a code map can't be read, or is wrong.
    """
    return Store.open(
        settings.database_url,
        person_systems=settings["linking.person_systems"],
        code_maps=code_maps(settings),
    )


def code_maps(settings: Settings) -> Mapping[str, CodeMap]:
    """Source -> its code map, for those that have one (`[[source]] code_map`).

    Raises:
        CodeMapRefused: a file can't be read, or is wrong.
    """
    return {source.name: code_map_of(Path(source.code_map)) for source in settings.sources if source.code_map}


def code_map_of(file: Path) -> CodeMap:
    """The code map in a file.

    Raises:
        CodeMapRefused: it can't be read, or is wrong.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise CodeMapRefused(f"{file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise CodeMapRefused(f"{file}: is not UTF-8 text ({error.reason} at byte {error.start})") from error
    return read_code_map(text, file.name)
