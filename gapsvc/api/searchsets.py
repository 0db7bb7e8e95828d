"""Searching: what every search shares (paging, and the searchset Bundle; FHIR R4 §3.1.1.4, §3.1.0.4)."""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from flask import request
from marshmallow import Schema

from gapsvc.api.parameters import GENERAL, WholeNumber
from gapsvc.api.service import service

PAGE = 50  # resources on a page where `_count` does not say
LARGEST_PAGE = 500


class Paged(Schema):
    """The parameters of paging. `_page` is ours: where the next page begins, as `next` links give it."""

    _count = WholeNumber(load_default=PAGE)
    _page = WholeNumber(load_default=0)


def page_of(asked: Mapping[str, Any]) -> tuple[int, int]:
    """(how many, from where)."""
    return min(asked["_count"], LARGEST_PAGE), asked["_page"]


def criteria(asked: Mapping[str, Any]) -> dict[str, Any]:
    """What was asked for, without paging."""
    return {name: value for name, value in asked.items() if name not in ("_count", "_page")}


def searchset(found: Iterable[Mapping[str, Any]], total: int, asked: Mapping[str, Any]) -> dict[str, Any]:
    """One page as a searchset Bundle with `self` and, where there is more, `next`."""
    base = service().base_url
    path = f"{base}{request.path.removeprefix('/fhir').rstrip('/').removesuffix('/_search')}"
    form = request.form.items(multi=True) if request.method == "POST" else ()
    given = [(name, value) for name, value in (*form, *request.args.items(multi=True)) if name not in GENERAL]

    def link(relation: str, parameters: list[tuple[str, str]]) -> dict[str, str]:
        query = urlencode(parameters)
        return {"relation": relation, "url": f"{path}?{query}" if query else path}

    links = [link("self", given)]
    count, start = page_of(asked)
    if count and start + count < total:
        links.append(link("next", [*((n, v) for n, v in given if n != "_page"), ("_page", str(start + count))]))
    bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset", "total": total, "link": links}
    entries = [
        {
            "fullUrl": f"{base}/{resource['resourceType']}/{resource['id']}",
            "resource": resource,
            "search": {"mode": "match"},
        }
        for resource in found
    ]
    if entries:
        bundle["entry"] = entries
    return bundle
