"""Settings: default, file, environment; every mistake named with where it is and what was meant."""

from datetime import date
from pathlib import Path

import pytest

from gapsvc.config import SETTINGS, ClientSettings, SettingsError, SourceSettings, load

DIGEST = "ab" * 32


def settings_file(home: Path, text: str) -> Path:
    (home / "gapsvc.toml").write_text(text, encoding="utf-8")
    return home


def test_without_file_and_environment_every_setting_has_its_default(tmp_path: Path) -> None:
    settings = load({}, home=tmp_path)
    assert {setting.key: settings[setting.key] for setting in SETTINGS} == {
        setting.key: setting.default for setting in SETTINGS
    }
    assert settings.database_url == f"sqlite:///{tmp_path / 'gapsvc.db'}"


def test_the_environment_wins_over_the_file_and_the_file_over_the_default(tmp_path: Path) -> None:
    settings_file(tmp_path, '[server]\nport = 9000\nhost = "0.0.0.0"\n[evaluation]\nas_of = 2026-07-01\n')
    settings = load({"GAPSVC_SERVER_PORT": "9001"}, home=tmp_path)
    assert (settings["server.port"], settings["server.host"], settings["server.threads"]) == (9001, "0.0.0.0", 4)  # noqa: S104
    assert settings["evaluation.as_of"] == date(2026, 7, 1)


def test_lists_are_written_with_commas_in_the_environment(tmp_path: Path) -> None:
    settings = load({"GAPSVC_EVALUATION_MEASURES": "w30, three-by-120"}, home=tmp_path)
    assert settings["evaluation.measures"] == ("w30", "three-by-120")


def test_clients_and_sources(tmp_path: Path) -> None:
    settings_file(
        tmp_path,
        f"""
        [[client]]
        id = "plan"
        token_sha256 = "{DIGEST.upper()}"
        scopes = ["system/*.rs"]

        [[source]]
        name = "clinic"
        location = "https://ehr.example/fhir"
        vendor = "epic"
        token_variable = "CLINIC_TOKEN"
        client_id = "app-1"
        group = "g7"
        """,
    )
    settings = load({}, home=tmp_path)
    assert settings.clients == (ClientSettings("plan", DIGEST, ("system/*.rs",)),)
    assert settings.sources == (
        SourceSettings("clinic", "https://ehr.example/fhir", "epic", "CLINIC_TOKEN", "app-1", "g7"),
    )


@pytest.mark.parametrize(
    ("text", "environ", "said"),
    [
        ("[server]\nprot = 1", {}, "server.prot: unknown setting; did you mean server.port?"),
        ("[server]\nport = 70000", {}, "server.port: expected a port, 0 to 65535"),
        ('[server]\nport = "many"', {}, "server.port: expected a whole number"),
        ("[server]\nport = true", {}, "server.port: expected a whole number"),
        ("[log]\nlevel = 'loud'", {}, "log.level: expected one of debug, info, warning, error"),
        ("[evaluation]\nas_of = 'soon'", {}, "evaluation.as_of: expected a day, YYYY-MM-DD"),
        ("[evaluation]\nmeasures = [1]", {}, "evaluation.measures: expected a list of texts"),
        ("", {"GAPSVC_SERVER_PROT": "1"}, "GAPSVC_SERVER_PROT: unknown setting; did you mean GAPSVC_SERVER_PORT?"),
        ("", {"GAPSVC_SERVER_PORT": "x"}, "environment: GAPSVC_SERVER_PORT: expected"),
        ("not toml", {}, "gapsvc.toml: "),
        ("[client]\nid = 1", {}, "client must be written as [[client]]"),
        ('[[client]]\nid = "a"', {}, "[[client]] 1: token_sha256, scopes missing"),
        (
            '[[client]]\nid = "a"\ntoken_sha256 = "secret"\nscopes = []',
            {},
            "token_sha256 must be 64 hexadecimal digits; `python -m gapsvc token` makes one",
        ),
        (
            '[[client]]\nid = "a"\ntoken = "x"',
            {},
            "[[client]] 1: unknown key 'token'; expected one of id, token_sha256, scopes",
        ),
        ('[[source]]\nname = "a"', {}, "[[source]] 1: location missing"),
        (
            '[[source]]\nname = "a"\nlocation = "x"\n[[source]]\nname = "a"\nlocation = "y"',
            {},
            "two sources are called 'a'",
        ),
        ('[[source]]\nname = "a"\nlocation = 5', {}, "[[source]] 1: location: expected text"),
        ('[[source]]\nname = ""\nlocation = "x"', {}, "[[source]] 1: name: expected text"),
        ("[server]\nthreads = 0", {}, "server.threads: expected a whole number from 1 on"),
        ("", {"GAPSVC_SERVER_PORT": "٨٠٨٠"}, "GAPSVC_SERVER_PORT: expected a whole number"),
        ("", {"GAPSVC_SERVER_HOST": ""}, "GAPSVC_SERVER_HOST: expected a name"),
        ('[server]\nbase_url = "gaps.example/fhir"', {}, "server.base_url: expected an address that begins with http"),
        ('[reporter]\nid = "a b"', {}, "reporter.id: expected a FHIR id"),
        ("[evaluation]\nas_of = 2026-01-01T00:00:00", {}, "evaluation.as_of: expected a day"),
        ("", {"GAPSVC_EVALUATION_AS_OF": "20260101"}, "GAPSVC_EVALUATION_AS_OF: expected a day"),
        ("server = 5", {}, "server: unknown setting"),
        (
            f'[[client]]\nid = "a"\ntoken_sha256 = "{DIGEST}"\nscopes = ["system/Patient.raed"]',
            {},
            "[[client]] 1: 'system/Patient.raed' is no scope; expected e.g. system/*.rs",
        ),
        (
            f'[[client]]\nid = "a"\ntoken_sha256 = "{DIGEST}"\nscopes = []\n'
            f'[[client]]\nid = "b"\ntoken_sha256 = "{DIGEST}"\nscopes = []',
            {},
            "clients 'a' and 'b' have the same token",
        ),
        (
            f'[[client]]\nid = "a"\ntoken_sha256 = "{DIGEST}"\nscopes = []\n'
            f'[[client]]\nid = "a"\ntoken_sha256 = "{"1" * 64}"\nscopes = []',
            {},
            "two clients are called 'a'",
        ),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, text: str, environ: dict[str, str], said: str) -> None:
    settings_file(tmp_path, text)
    with pytest.raises(SettingsError) as caught:
        load(environ, home=tmp_path)
    assert said in str(caught.value)


def test_all_mistakes_are_named_at_once(tmp_path: Path) -> None:
    settings_file(tmp_path, "[server]\nprot = 1\nport = -1\n")
    with pytest.raises(SettingsError) as caught:
        load({"GAPSVC_LOG_LEVEL": "loud"}, home=tmp_path)
    assert len(str(caught.value).splitlines()) == 3


def test_a_file_that_is_named_must_exist(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="there is no such file"):
        load({"GAPSVC_CONFIG": str(tmp_path / "absent.toml")}, home=tmp_path)


def test_variables_that_hold_tokens_are_not_settings(tmp_path: Path) -> None:
    assert load({"GAPSVC_TOKEN_SOURCE": "x", "GAPSVC_TEST_POSTGRES": "y"}, home=tmp_path).clients == ()
