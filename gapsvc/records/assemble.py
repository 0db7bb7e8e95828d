"""One person's record out of the resources of every linked source. Pure; the order of the input doesn't matter."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, cast

from gapsvc.records.linking import patient_links, qualified
from gapsvc.records.quality import patient_findings
from gapsvc.records.record import Finding, PatientRecord
from gapsvc.records.references import happened, is_supplemental, literal

JsonObject = Mapping[str, Any]


class Sourced(NamedTuple):
    """A resource and the name of the source that it came from."""

    source: str
    resource: JsonObject


def assemble(
    person_id: str,
    resources: Iterable[Sourced],
    *,
    findings: Iterable[Finding] = (),
    data_as_of: Mapping[str, str] | None = None,
) -> PatientRecord | None:
    """The record of `person_id`; None where there is no Patient among its resources.

    `record.patient` carries `person_id` as its id whichever Patient stands for the person. Resources are ordered by
    date, then id. Where two sources use one id for different resources, the later source's (by name) is renamed
    `<source>.<id>`, and what refers to it with it. `record.sources` says of each, by the name that it has in the
    record, where it came from. What is wrong with the Patient joins `findings`.
    """
    by_type: dict[str, list[Sourced]] = {}
    sources: dict[str, str] = {}
    for item in _distinct_ids(list(resources)):
        kind = item.resource["resourceType"]
        by_type.setdefault(kind, []).append(item)
        sources[f"{kind}/{item.resource['id']}"] = item.source
    patients = by_type.pop("Patient", None)
    if not patients:
        return None
    ordered = {
        name: tuple(item.resource for item in sorted(found, key=_date_then_id))
        for name, found in sorted(by_type.items())
    }
    stands, chosen, others = _standing_patient(person_id, patients)
    sources[f"Patient/{person_id}"] = chosen.source
    return PatientRecord(
        person_id=person_id,
        patient=stands,
        resources={"Patient": (stands, *others), **ordered},
        findings=tuple(
            sorted(
                (*findings, *patient_findings(chosen.resource)),
                key=lambda found: (found.reference, found.code, found.text),
            )
        ),
        data_as_of=dict(sorted((data_as_of or {}).items())),
        sources=dict(sorted(sources.items())),
    )


def _date_then_id(item: Sourced) -> tuple[str, str]:
    return (happened(item.resource), item.resource["id"])


def _standing_patient(
    person_id: str, patients: Sequence[Sourced]
) -> tuple[JsonObject, Sourced, tuple[JsonObject, ...]]:
    # The Patient that the EHRs still keep (not replaced, not inactive) with a full birth date, an EHR's before one that
    # was made from a registry's or payer's row; then the least id.
    def preference(item: Sourced) -> tuple[bool, bool, bool, bool, str, str]:
        patient = item.resource
        return (
            _replaced(patient),
            patient.get("active") is False,
            len(str(patient.get("birthDate", ""))) != 10,
            is_supplemental(patient),
            patient["id"],
            item.source,
        )

    chosen, *others = sorted(patients, key=preference)
    stands = chosen.resource
    if not _deceased(stands):
        # A death that one clinic knows of is a fact for all of them.
        for other in others:
            if not _replaced(other.resource) and (death := _deceased(other.resource)):
                kept = {key: value for key, value in stands.items() if key != "deceasedBoolean"}
                stands = {**kept, **death}
                break
    if stands["id"] != person_id:
        stands = {**stands, "id": person_id}
    return stands, chosen, tuple(item.resource for item in others)


def _replaced(patient: JsonObject) -> bool:
    return any(kind == "replaced-by" for kind, _other in patient_links(patient))


def _deceased(patient: JsonObject) -> JsonObject:
    if patient.get("deceasedDateTime"):
        return {"deceasedDateTime": patient["deceasedDateTime"]}
    return {"deceasedBoolean": True} if patient.get("deceasedBoolean") is True else {}


def _distinct_ids(resources: list[Sourced]) -> list[Sourced]:
    if len({item.source for item in resources}) < 2:
        return resources
    owner: dict[tuple[str, str], str] = {}
    renamed: dict[str, dict[tuple[str, str], str]] = {}
    for item in sorted(resources, key=lambda item: item.source):
        key = (item.resource["resourceType"], item.resource["id"])
        if owner.setdefault(key, item.source) != item.source:
            renamed.setdefault(item.source, {})[key] = qualified(item.source, key[1])
    return [
        Sourced(item.source, _renamed(item.resource, renamed[item.source])) if item.source in renamed else item
        for item in resources
    ]


def _renamed(resource: JsonObject, names: Mapping[tuple[str, str], str]) -> JsonObject:
    changed = cast(JsonObject, _with_references(resource, names))
    name = names.get((resource["resourceType"], resource["id"]))
    return changed if name is None else {**changed, "id": name}


def _with_references(value: Any, names: Mapping[tuple[str, str], str]) -> Any:
    if isinstance(value, list):
        return [_with_references(item, names) for item in cast("list[Any]", value)]
    if not isinstance(value, Mapping):
        return value
    node = cast(JsonObject, value)
    changed = {key: _with_references(item, names) for key, item in node.items()}
    target = literal(node)
    if target is not None and target in names:
        changed["reference"] = f"{target[0]}/{names[target]}"
    return changed
