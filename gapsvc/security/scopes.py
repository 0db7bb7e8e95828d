"""SMART system scopes: which ones can be read, and what they grant.

SMART App Launch 2.2, Scopes for requesting FHIR resources: `system/<Type or *>.<access>`, where access is letters of
`cruds` in that order (version 2) or read, write, * (version 1). A scope that can't be read grants nothing.
"""

import re

_SCOPE = re.compile(r"system/(?P<type>\*|[A-Z][A-Za-z]+)\.(?P<access>read|write|\*|(?=[cruds])c?r?u?d?s?)")


def is_scope(text: str) -> bool:
    """Whether this is a system scope that we can read."""
    return _SCOPE.fullmatch(text) is not None


def grants_read(scope: str, resource_type: str) -> bool:
    """Whether the scope grants reading and searching resources of a type."""
    match = _SCOPE.fullmatch(scope)
    if match is None or match["type"] not in ("*", resource_type):
        return False
    access = match["access"]
    return access in ("read", "*") or (access != "write" and "r" in access and "s" in access)
