"""Sessions: whom a cookie stands for and for how long; the key that signs them; wrong tokens."""

import hashlib
from datetime import timedelta
from pathlib import Path

import pytest
from itsdangerous import URLSafeSerializer
from web_clinic import Clock

from gapsvc.config import ClientSettings
from gapsvc.security.clients import Client, ClientRegistry
from gapsvc.web.session_key import SessionKeyUnusable, session_key
from gapsvc.web.sessions import Sessions
from gapsvc.web.throttle import Throttle

KEY = "k" * 40


def registry(**tokens: str) -> ClientRegistry:
    return ClientRegistry(
        ClientSettings(name, hashlib.sha256(token.encode()).hexdigest(), ("system/*.rs",))
        for name, token in tokens.items()
    )


NURSE = Client("nurse", ("system/*.rs",))


def begun(clock: Clock, clients: ClientRegistry | None = None) -> tuple[Sessions, str]:
    """Sessions, and the cookie of one of the nurse's."""
    sessions = Sessions(lambda: KEY, clients or registry(nurse="secret"), clock)
    return sessions, sessions.cookie(sessions.begin(NURSE))


def test_a_session_stands_for_its_client() -> None:
    sessions, cookie = begun(Clock())
    found = sessions.read(cookie)
    assert found is not None
    assert found[1] == NURSE


def test_the_cookie_holds_no_token() -> None:
    _, cookie = begun(Clock())
    held = URLSafeSerializer(KEY, salt="gapsvc.web session").loads_unsafe(cookie)[1]
    assert held[0] == "nurse"
    assert "secret" not in str(held)
    assert hashlib.sha256(b"secret").hexdigest() not in str(held)


def test_half_an_hour_without_a_page_ends_a_session() -> None:
    clock = Clock()
    sessions, cookie = begun(clock)
    clock.moment += timedelta(minutes=30)
    found = sessions.read(cookie)
    assert found is not None
    clock.moment += timedelta(seconds=1)
    assert sessions.read(cookie) is None
    # A page in time begins the half hour anew.
    clock.moment -= timedelta(seconds=1)
    renewed = sessions.cookie(sessions.renewed(found[0]))
    clock.moment += timedelta(minutes=30)
    assert sessions.read(renewed) is not None


def test_no_session_lasts_longer_than_eight_hours() -> None:
    clock = Clock()
    sessions, cookie = begun(clock)
    for _ in range(24):
        clock.moment += timedelta(minutes=20)
        found = sessions.read(cookie)
        assert found is not None
        cookie = sessions.cookie(sessions.renewed(found[0]))
    clock.moment += timedelta(minutes=1)
    assert sessions.read(cookie) is None


def test_a_session_ends_with_its_client_and_with_its_token() -> None:
    clock = Clock()
    _, cookie = begun(clock)
    for clients in (registry(), registry(other="secret"), registry(nurse="another")):
        assert Sessions(lambda: KEY, clients, clock).read(cookie) is None


@pytest.mark.parametrize("change", [lambda text: text[:-1], lambda text: "x" + text, lambda _: "", lambda _: "ö.ö"])
def test_a_changed_cookie_is_none(change: object) -> None:
    sessions, cookie = begun(Clock())
    assert sessions.read(change(cookie)) is None


@pytest.mark.parametrize("held", [None, [], ["nurse"], ["nurse", "f", "x", "y", "n"], {"a": 1}, [1, 2, 3, 4, 5, 6]])
def test_what_another_program_signed_with_the_same_key_is_none(held: object) -> None:
    sessions, _ = begun(Clock())
    signing = {"key_derivation": "hmac", "digest_method": hashlib.sha256}
    cookie = URLSafeSerializer(KEY, salt="gapsvc.web session", signer_kwargs=signing).dumps(held)
    assert sessions.read(cookie) is None


def test_a_cookie_of_another_key_or_of_the_future_is_none() -> None:
    clock = Clock()
    sessions, _ = begun(clock)
    stranger = Sessions(lambda: "x" * 40, registry(nurse="secret"), clock)
    assert sessions.read(stranger.cookie(stranger.begin(NURSE))) is None
    ahead = Clock(clock.moment + timedelta(minutes=2))
    early = Sessions(lambda: KEY, registry(nurse="secret"), ahead)
    assert sessions.read(early.cookie(early.begin(NURSE))) is None


def test_a_form_is_that_of_the_browser_it_was_made_for() -> None:
    sessions, cookie = begun(Clock())
    field = sessions.form_field("nonce")
    assert sessions.is_own_form(field, "nonce")
    for wrong, nonce in ((field, "other"), (field, ""), ("", "nonce"), (field + "x", "nonce"), (cookie, "nonce")):
        assert not sessions.is_own_form(wrong, nonce)
    assert not sessions.is_own_form(sessions.form_field(""), "")


# ---- the key


def test_the_key_is_made_once_and_read_by_its_owner_only(tmp_path: Path) -> None:
    key = session_key(tmp_path / "home", {})
    file = tmp_path / "home" / "session.key"
    assert len(key) >= 43
    assert file.stat().st_mode & 0o777 == 0o600
    assert session_key(tmp_path / "home", {}) == key
    assert sorted(path.name for path in file.parent.iterdir()) == ["session.key"]


def test_the_variable_goes_before_the_file(tmp_path: Path) -> None:
    assert session_key(tmp_path, {"GAPSVC_SESSION_KEY": "v" * 32}) == "v" * 32
    assert list(tmp_path.iterdir()) == []


def test_a_short_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SessionKeyUnusable, match="GAPSVC_SESSION_KEY: expected at least 32 characters, found 5"):
        session_key(tmp_path, {"GAPSVC_SESSION_KEY": "short"})


def test_a_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    session_key(tmp_path, {})
    (tmp_path / "session.key").chmod(0o640)
    with pytest.raises(SessionKeyUnusable, match=r"others may read it \(mode 0640\)"):
        session_key(tmp_path, {})


def test_a_folder_that_can_not_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file")
    with pytest.raises(SessionKeyUnusable, match="or set GAPSVC_SESSION_KEY"):
        session_key(tmp_path / "home", {})


# ---- wrong tokens


def test_after_ten_wrong_tokens_an_address_waits_for_a_minute() -> None:
    clock = Clock()
    throttle = Throttle(clock)
    for _ in range(10):
        assert throttle.wait("10.0.0.1") == 0
        throttle.wrong("10.0.0.1")
        clock.moment += timedelta(seconds=1)
    assert throttle.wait("10.0.0.1") == 51
    assert throttle.wait("10.0.0.2") == 0
    clock.moment += timedelta(seconds=50)
    assert throttle.wait("10.0.0.1") == 0
