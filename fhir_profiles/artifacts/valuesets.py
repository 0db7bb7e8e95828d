"""FHIR R4 ValueSet with its expansion, for a value set whose compose lists every concept."""

from fhir_profiles.plain import JsonMapping, Resource, stable_id


def value_set_expansion(value_set: JsonMapping, *, timestamp: str) -> Resource:
    """`value_set` with an expansion of the concepts that its compose lists (FHIR R4 ValueSet.expansion).

    `timestamp` is a FHIR dateTime. Raises ValueError when the compose draws on a filter, another value set, a
    whole code system or an exclusion: then its concepts are not all listed, and a terminology server must expand.
    """
    compose: JsonMapping = value_set.get("compose") or {}
    where = f"ValueSet {value_set.get('url')}"
    if compose.get("exclude"):
        raise ValueError(f"{where}: its compose excludes; only listed concepts can be expanded here")
    includes: list[JsonMapping] = compose.get("include") or []
    contains: dict[tuple[str, str | None, str], Resource] = {}
    for number, include in enumerate(includes):
        listed: list[JsonMapping] = include.get("concept") or []
        if not listed or include.get("filter") or include.get("valueSet"):
            raise ValueError(f"{where}: compose.include[{number}] does not list its concepts")
        system, version = include["system"], include.get("version")
        for one in listed:
            entry: Resource = {"system": system}
            if version:
                entry["version"] = version
            entry["code"] = one["code"]
            if one.get("display"):
                entry["display"] = one["display"]
            contains.setdefault((system, version, one["code"]), entry)
    codes = [f"{system}|{version}|{code}" for system, version, code in contains]
    return {
        **value_set,
        "expansion": {
            "identifier": f"urn:uuid:{stable_id('expansion', str(value_set.get('url')), *codes)}",
            "timestamp": timestamp,
            "total": len(contains),
            "contains": list(contains.values()),
        },
    }
