"""The network as FHIR: Organization, Location, Practitioner, PractitionerRole, and one Group per plan panel.

Profiles: US Core 6.1 Organization, Location, Practitioner, PractitionerRole; Group as DEQM's `subject` takes it.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from gapsvc.sandbox import places
from gapsvc.sandbox.codes import NPI, SNOMED
from gapsvc.sandbox.places import CLINICS, PAYERS, Clinic, Doctor, Site
from gapsvc.sandbox.stamps import JsonObject, Stamper, coding, reference

_OPENED = date(2003, 1, 6)  # the network is as old as its oldest record


def render_network(stamp: Stamper) -> Iterator[JsonObject]:
    """Everything that is there before the first child."""
    yield _organization(stamp, places.NETWORK_ID, places.NETWORK_NAME, places.npi(1), None, "prov")
    yield _organization(stamp, places.HOSPITAL_ID, places.HOSPITAL_NAME, places.npi(2), None, "prov")
    yield _organization(stamp, places.DENTAL_ID, places.DENTAL_NAME, places.npi(3), None, "prov")
    yield _location(stamp, places.HOSPITAL_SITE, places.HOSPITAL_ID)
    for clinic in CLINICS:
        yield _organization(stamp, clinic.id, clinic.name, clinic.npi, places.NETWORK_ID, "prov")
        for site in clinic.sites:
            yield _location(stamp, site, clinic.id)
        for doctor in clinic.practitioners:
            yield _practitioner(stamp, doctor)
            yield _role(stamp, doctor, clinic)
    for payer in PAYERS:
        yield _organization(stamp, payer.id, payer.name, None, None, "pay")


def render_groups(stamp: Stamper, panels: Mapping[int, Sequence[str]], as_of: date) -> Iterator[JsonObject]:
    """One actual Group per payer: its panel. `panels` maps an index of PAYERS to the children's Patient ids."""
    for at, payer in enumerate(PAYERS):
        members = panels.get(at, ())
        group: JsonObject = {
            "resourceType": "Group",
            "id": payer.group,
            "meta": stamp.meta(payer.group, as_of),
            "active": True,
            "type": "person",
            "actual": True,
            "name": payer.panel,
            "quantity": len(members),
            "managingEntity": reference("Organization", payer.id),
        }
        if members:
            group["member"] = [{"entity": reference("Patient", ident)} for ident in members]
        yield group


def _organization(stamp: Stamper, ident: str, name: str, npi: str | None, part_of: str | None, kind: str) -> JsonObject:
    found: JsonObject = {
        "resourceType": "Organization",
        "id": ident,
        "meta": stamp.meta(ident, _OPENED, profile="us-core-organization"),
        "active": True,
        "type": [{"coding": [coding("http://terminology.hl7.org/CodeSystem/organization-type", kind)]}],
        "name": name,
    }
    if npi:
        found["identifier"] = [{"system": NPI, "value": npi}]
    if part_of:
        found["partOf"] = reference("Organization", part_of)
    return found


def _location(stamp: Stamper, site: Site, organization: str) -> JsonObject:
    return {
        "resourceType": "Location",
        "id": site.id,
        "meta": stamp.meta(site.id, _OPENED, profile="us-core-location"),
        "status": "active",
        "name": site.name,
        "address": {
            "line": [f"{site.zip[-3:]} Example Plaza"],
            "city": site.city,
            "state": "CA",
            "postalCode": site.zip,
            "country": "US",
        },
        "managingOrganization": reference("Organization", organization),
    }


def _practitioner(stamp: Stamper, doctor: Doctor) -> JsonObject:
    return {
        "resourceType": "Practitioner",
        "id": doctor.id,
        "meta": stamp.meta(doctor.id, _OPENED, profile="us-core-practitioner"),
        "identifier": [{"system": NPI, "value": doctor.npi}],
        "active": True,
        "name": [{"use": "official", "family": doctor.family, "given": [doctor.given], "suffix": [doctor.credential]}],
    }


def _role(stamp: Stamper, doctor: Doctor, clinic: Clinic) -> JsonObject:
    return {
        "resourceType": "PractitionerRole",
        "id": doctor.role_id,
        "meta": stamp.meta(doctor.role_id, _OPENED, profile="us-core-practitionerrole"),
        "active": True,
        "practitioner": reference("Practitioner", doctor.id),
        "organization": reference("Organization", clinic.id),
        "specialty": [{"coding": [coding(SNOMED, "408439002", "Pediatric specialty (qualifier value)")]}],
        "location": [reference("Location", site.id) for site in clinic.sites],
        "telecom": [{"system": "phone", "value": "213-555-0100"}],
    }
