"""The `curl` lines of docs/api.md and README.md are asked of the service, and answered."""

import re
import shlex
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from contract_client import Api
from werkzeug.datastructures import Headers
from werkzeug.test import TestResponse

ROOT = Path(__file__).parents[2]


def curl_lines(page: Path) -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", page.read_text(), re.DOTALL)
    return [block for block in blocks if block.startswith("curl ")]


def asked(api: Api, line: str) -> TestResponse:
    """Send what curl would send for this line."""
    words = shlex.split(line.replace("\\\n", " "))[1:]
    headers, data, url = Headers(), [], ""
    while words:
        word = words.pop(0)
        if word == "-H":
            name, _, value = words.pop(0).partition(": ")
            headers.add(name, value)
        elif word == "--data":
            data.append(words.pop(0))
        else:
            assert not word.startswith("-"), word
            url = word
    parts = urlsplit(url)
    path = re.sub(r"^/fhir", "", parts.path)
    if data:
        headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
        return api.flask.post(f"/fhir{path}", query_string=parts.query, data="&".join(data), headers=headers)
    return api.flask.get(f"/fhir{path}", query_string=parts.query, headers=headers)


@pytest.mark.parametrize("page", ["docs/api.md", "README.md"])
def test_the_examples_of_the_documentation_are_answered(api: Api, page: str) -> None:
    lines = curl_lines(ROOT / page)
    assert lines
    child = next(iter(api.truth))
    for line in lines:
        filled = line.replace("\\$", "$").replace("$TOKEN", "token-all").replace("$BASE", "https://gaps.example/fhir")
        filled = filled.replace("$CHILD", child).replace("Patient/123", f"Patient/{child}")
        response = asked(api, filled)
        assert response.status_code == 200, (line, response.text)
        assert response.get_json()["resourceType"] in ("Parameters", "Bundle")
