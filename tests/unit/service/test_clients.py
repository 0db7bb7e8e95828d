"""Client tokens and scopes."""

import hashlib

import pytest

from gapsvc.config import ClientSettings
from gapsvc.security.clients import Client, ClientRegistry, new_token


def registry(**tokens: str) -> ClientRegistry:
    return ClientRegistry(
        ClientSettings(name, hashlib.sha256(token.encode()).hexdigest(), ("system/*.rs",))
        for name, token in tokens.items()
    )


def test_a_token_is_known_by_its_digest() -> None:
    known = registry(plan="one", clinic="two")
    assert known.authenticate("two") == Client("clinic", ("system/*.rs",))
    assert known.authenticate("three") is None
    assert known.authenticate("") is None
    assert known.authenticate("\udce9") is None  # what an HTTP header may decode to


def test_a_new_token_is_the_one_that_its_digest_knows() -> None:
    token, digest = new_token()
    assert ClientRegistry([ClientSettings("a", digest, ())]).authenticate(token) == Client("a", ())
    assert token != new_token()[0]
    assert len(token) >= 43  # 256 bits


@pytest.mark.parametrize(
    ("scope", "granted"),
    [
        ("system/*.read", True),
        ("system/*.rs", True),
        ("system/*.cruds", True),
        ("system/*.*", True),
        ("system/MeasureReport.rs", True),
        ("system/MeasureReport.read", True),
        ("system/MeasureReport.r", False),  # no search
        ("system/MeasureReport.s", False),
        ("system/MeasureReport.write", False),
        ("system/MeasureReport.c", False),
        ("system/MeasureReport.", False),
        ("system/Measure.rs", False),
        ("system/MeasureReportX.rs", False),
        ("user/*.rs", False),
        ("patient/*.read", False),
        ("system/*.rs extra", False),
        ("", False),
    ],
)
def test_which_scopes_let_a_client_read(scope: str, granted: bool) -> None:
    assert Client("a", (scope,)).may_read("MeasureReport") is granted
