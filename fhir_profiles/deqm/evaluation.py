"""The Bundles of DEQM's `$evaluate`: MeasureReports first, then the data that they rest on (type collection).

Every relative reference resolves inside the Bundle; one in a clinical resource that leads out of it becomes a logical
reference, as in a gaps Bundle.
"""

from collections.abc import Iterable, Sequence

from fhir_profiles.deqm.bundle import closed
from fhir_profiles.deqm.reporting import Reporting
from fhir_profiles.plain import JsonMapping, Resource, stable_id
from fhir_profiles.terms import URI_SYSTEM


def evaluation_bundle(
    reports: Sequence[Resource],
    resources: Iterable[JsonMapping],
    reporting: Reporting,
    *,
    outcome: Resource | None = None,
) -> Resource:
    """One Bundle of `$evaluate`: reports (of one person, or summaries), and the resources handed in.

    `outcome` is an OperationOutcome that says what could not be evaluated; it stands last.
    """
    key = (*(report["id"] for report in reports), reporting.moment)
    given: dict[str, JsonMapping] = {}
    for resource in (reporting.reporter, *resources):
        given.setdefault(f"{resource['resourceType']}/{resource['id']}", resource)
    inside = {f"{report['resourceType']}/{report['id']}" for report in reports} | given.keys()
    entries: list[Resource] = [
        {"fullUrl": reporting.full_url(f"MeasureReport/{report['id']}"), "resource": report} for report in reports
    ]
    entries += [{"fullUrl": reporting.full_url(at), "resource": closed(one, inside)} for at, one in given.items()]
    if outcome is not None:
        entries.append({"fullUrl": f"urn:uuid:{stable_id('OperationOutcome', *key)}", "resource": outcome})
    return {
        "resourceType": "Bundle",
        "id": stable_id("Bundle.evaluate", *key),
        "identifier": {"system": URI_SYSTEM, "value": f"urn:uuid:{stable_id('Bundle.evaluate.identifier', *key)}"},
        "type": "collection",
        "timestamp": reporting.moment,
        "entry": entries,
    }
