# pyright: strict
"""What EHRs write that FHIR R4 doesn't allow, and what is done about it: tables only (adapters.repair acts).

Sources: FHIR R4 (shapes and element types of the resources named), ../shared/design/ehr.md (what was seen where),
HL7 OID registry (code systems), CDC CVX and NCHS ICD-10-CM (how their codes are written).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal


@dataclass(frozen=True, slots=True)
class Deviation:
    """One known deviation: its code (as in Fetched.repairs), where it is looked for, what is done."""

    code: str
    elements: str
    action: str


DEVIATIONS: tuple[Deviation, ...] = (
    Deviation("empty-removed", "any element", 'null, "", [] and {} are removed (R4 §2.6.2: no empty values)'),
    Deviation("text-encoding", "the whole", "not UTF-8: read as Windows-1252; raw line breaks, halved characters read"),
    Deviation("text-trimmed", "codes, systems, ids, references, dates", "surrounding blanks are removed"),
    Deviation("number-as-text", "id, code, Identifier.value, ...", "a number becomes the text FHIR wants"),
    Deviation("text-as-boolean", "active, primarySource, ...", '"true" / "false" become booleans'),
    Deviation("code-spelling", "status, gender, intent", "lower case and hyphens: COMPLETED, Not Done"),
    Deviation("r5-encounter-status", "Encounter.status", "R5 completed and discharged become R4 finished"),
    Deviation("r5-element-name", "Encounter.actualPeriod", "takes its R4 name, Encounter.period"),
    Deviation("encounter-class-shape", "Encounter.class", "CodeableConcept, list or bare code become a Coding"),
    Deviation("list-made", "elements that repeat", "a single value becomes a list of one"),
    Deviation("list-unwrapped", "elements that don't repeat", "a list of one becomes its value"),
    Deviation("wrong-shape", "elements of known shape", "a value of another shape is dropped: only that element"),
    Deviation("date-with-time", "elements of type date", "the time is cut off; the day stays as written"),
    Deviation("compact-date", "dates and times", "YYYYMMDD[hhmm[ss]] (HL7 v2) gets its hyphens and colons"),
    Deviation("datetime-separator", "dates and times", "a blank or t between day and time becomes T"),
    Deviation("datetime-without-seconds", "dates and times", "10:00 becomes 10:00:00"),
    Deviation("datetime-fraction", "dates and times", "comma or bare point; at most nine digits of a second"),
    Deviation("datetime-offset", "dates and times", "+0000, -08, z and UTC become +00:00, -08:00 and Z"),
    Deviation("datetime-without-offset", "dates and times", "kept as it is: no time zone is invented"),
    Deviation("invalid-date", "dates and times", "no date, or a day that does not exist: the element is dropped"),
    Deviation("code-system-alias", "system", "OIDs and other spellings become FHIR's canonical system URI"),
    Deviation("cvx-padding", "code of system CVX", "8 becomes 08 (CDC writes at least two digits)"),
    Deviation("icd10-dot", "code of system ICD-10-CM", "Z00129 becomes Z00.129; lower case becomes upper"),
    Deviation("reference-text", "subject, patient, encounter, ...", 'bare "Patient/1" becomes a Reference'),
    Deviation("reference-absolute", "reference", "a URL on the server's own base becomes Type/id"),
    Deviation("reference-version", "reference", "Type/id/_history/n becomes Type/id"),
    Deviation("reference-urn", "reference", "urn:uuid: and urn:oid: become Type/id where the target is known"),
)

REJECTIONS: tuple[Deviation, ...] = (
    Deviation("not-json", "the whole", "the text can't be read as JSON"),
    Deviation("not-an-object", "the whole", "JSON, but not an object: not a resource"),
    Deviation("too-deep", "the whole", "nested deeper than any FHIR resource"),
    Deviation("too-large", "the whole", "longer than the limit for one resource or document"),
    Deviation("no-resource-type", "resourceType", "missing, or not the name of a resource type"),
    Deviation("wrong-type", "resourceType", "another type than the one that was asked for"),
    Deviation("no-id", "id", "missing: nothing could refer to it, and a second pull would store it twice"),
    Deviation("bad-id", "id", "not 1 to 64 of A-Z a-z 0-9 - . (R4 §2.24.0.1)"),
    Deviation("operation-outcome", "the whole", "the endpoint reports an error instead of a resource"),
    Deviation("truncated", "the file", "a compressed file ends too early or is damaged"),
)


def _names(names: str) -> frozenset[str]:
    return frozenset(names.split())


# Element names whose type is date, or dateTime / instant, wherever they stand in R4 (checked against the R4
# models in tests/unit/adapters). Names that also carry other types elsewhere are read only where they are text.
DATE_NAMES = _names(
    "approvalDate birthDate deceasedDate dueDate expirationDate lastReviewDate servicedDate startDate "
    "statusDate timingDate valueDate"
)
DATETIME_NAMES = _names(
    "abatementDateTime authored authoredOn collectedDateTime created date dateAsserted dateWritten "
    "deceasedDateTime effectiveDateTime effectiveInstant end enteredDate issued lastOccurrence lastUpdated "
    "manufactureDate occurredDateTime occurrenceDateTime onset onsetDateTime performedDateTime "
    "presentationDate publicationDate "
    "received receivedTime recorded recordedDate sent start time timestamp timingDateTime valueDateTime "
    "valueInstant whenHandedOver whenPrepared"
)

TRIMMED_NAMES = _names("code id reference system")
SPELLED_NAMES = _names("gender intent status")
USUAL_CODES = _names(  # of the spelled names, as they should be: known at once
    "active additional arrived cancelled completed draft entered-in-error female final finished generated "
    "in-progress male not-done order other planned preliminary stopped unknown"
)
TEXT_NAMES = _names("code display id lotNumber postalCode versionId")
TEXT_VALUE_PARENTS = _names("identifier telecom")  # whose `value` is text
BOOLEAN_NAMES = _names(
    "active actual deceasedBoolean isSubpotent multipleBirthBoolean primarySource userSelected valueBoolean"
)

R5_ENCOUNTER_STATUS: Mapping[str, str] = MappingProxyType({"completed": "finished", "discharged": "finished"})
ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
CVX = "http://hl7.org/fhir/sid/cvx"
ICD10CM = "http://hl7.org/fhir/sid/icd-10-cm"

_CANONICAL: Mapping[str, tuple[str, ...]] = {
    CVX: ("2.16.840.1.113883.12.292", "https://hl7.org/fhir/sid/cvx", "http://hl7.org/fhir/sid/cvx/"),
    "http://hl7.org/fhir/sid/mvx": ("2.16.840.1.113883.12.227", "https://hl7.org/fhir/sid/mvx"),
    "http://hl7.org/fhir/sid/ndc": ("2.16.840.1.113883.6.69", "https://hl7.org/fhir/sid/ndc"),
    "http://hl7.org/fhir/sid/us-npi": ("2.16.840.1.113883.4.6", "https://hl7.org/fhir/sid/us-npi"),
    "http://hl7.org/fhir/sid/us-ssn": ("2.16.840.1.113883.4.1",),
    "http://hl7.org/fhir/sid/icd-9-cm": ("2.16.840.1.113883.6.103",),
    ICD10CM: (
        "2.16.840.1.113883.6.90",
        "https://hl7.org/fhir/sid/icd-10-cm",
        "http://hl7.org/fhir/sid/icd-10-cm/",
        "http://hl7.org/fhir/sid/icd-10-us",
        "http://hl7.org/fhir/ValueSet/icd-10-cm",
    ),
    "http://www.ama-assn.org/go/cpt": (
        "2.16.840.1.113883.6.12",
        "https://www.ama-assn.org/go/cpt",
        "http://www.ama-assn.org/go/CPT",
        "http://ama-assn.org/go/cpt",
        "http://www.ama-assn.org/go/cpt/",
        "http://www.ama-assn.org/practice-management/cpt",
    ),
    "http://snomed.info/sct": (
        "2.16.840.1.113883.6.96",
        "https://snomed.info/sct",
        "http://snomed.info/sct/",
        "http://www.snomed.org/",
        "http://ihtsdo.org/snomed-ct",
    ),
    "http://loinc.org": ("2.16.840.1.113883.6.1", "https://loinc.org", "http://loinc.org/"),
    "http://www.nlm.nih.gov/research/umls/rxnorm": ("2.16.840.1.113883.6.88",),
    "https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets": ("2.16.840.1.113883.6.285",),
    "http://nucc.org/provider-taxonomy": ("2.16.840.1.113883.6.101",),
    "http://unitsofmeasure.org": ("2.16.840.1.113883.6.8",),
    ACT_CODE: ("2.16.840.1.113883.5.4", "http://hl7.org/fhir/v3/ActCode"),
    "http://terminology.hl7.org/CodeSystem/v3-RoleCode": (
        "2.16.840.1.113883.5.111",
        "http://hl7.org/fhir/v3/RoleCode",
    ),
}


def _aliases() -> Mapping[str, str]:
    rows: dict[str, str] = {}
    for canonical, spellings in _CANONICAL.items():
        for spelling in spellings:
            rows[spelling] = canonical
            if spelling[0].isdigit():
                rows[f"urn:oid:{spelling}"] = canonical
    return MappingProxyType(rows)


SYSTEM_ALIASES: Mapping[str, str] = _aliases()
SYSTEM_CANONICALS: frozenset[str] = frozenset(_CANONICAL)

# The target of a reference element that by R4 or by US Core is of one type: lets `urn:uuid:X` be read.
REFERENCE_TARGETS: Mapping[str, str] = MappingProxyType(
    {
        "beneficiary": "Patient",
        "encounter": "Encounter",
        "managingOrganization": "Organization",
        "location": "Location",
        "patient": "Patient",
        "serviceProvider": "Organization",
        "subject": "Patient",
    }
)

Shape = Literal["object", "list", "text", "boolean"]


def _shapes(*, object: str = "", list: str = "", text: str = "", boolean: str = "") -> Mapping[str, Shape]:
    rows: dict[str, Shape] = {"meta": "object", "text": "object", "extension": "list", "contained": "list"}
    rows |= dict.fromkeys(object.split(), "object")
    rows |= dict.fromkeys(list.split(), "list")
    rows |= dict.fromkeys(text.split(), "text")
    rows |= dict.fromkeys(boolean.split(), "boolean")
    return MappingProxyType(rows)


NO_SHAPES: Mapping[str, Shape] = MappingProxyType({})
# Shapes of the top-level elements that measures and pages read; others are passed on as they come.
SHAPES: Mapping[str, Mapping[str, Shape]] = MappingProxyType(
    {
        "Patient": _shapes(
            object="managingOrganization maritalStatus",
            list="identifier name telecom address communication generalPractitioner contact link",
            text="birthDate gender deceasedDateTime",
            boolean="active deceasedBoolean",
        ),
        "Encounter": _shapes(
            object="class subject period serviceType priority serviceProvider hospitalization partOf",
            list="identifier type reasonCode reasonReference participant location diagnosis statusHistory",
            text="status",
        ),
        "Immunization": _shapes(
            object="vaccineCode patient encounter statusReason reportOrigin site route doseQuantity location "
            "manufacturer",
            list="identifier performer note reasonCode protocolApplied education reaction programEligibility",
            text="status occurrenceDateTime occurrenceString recorded lotNumber expirationDate",
            boolean="primarySource isSubpotent",
        ),
        "Condition": _shapes(
            object="code subject encounter clinicalStatus verificationStatus severity recorder asserter",
            list="identifier category bodySite evidence stage note",
            text="onsetDateTime abatementDateTime recordedDate",
        ),
        "Procedure": _shapes(
            object="code subject encounter statusReason category performedPeriod",
            list="identifier performer reasonCode reasonReference note",
            text="status performedDateTime",
        ),
        "Observation": _shapes(
            object="code subject encounter valueQuantity valueCodeableConcept effectivePeriod",
            list="identifier category performer interpretation note component referenceRange",
            text="status effectiveDateTime issued",
        ),
        "Coverage": _shapes(
            object="type beneficiary subscriber policyHolder relationship period",
            list="identifier payor class",
            text="status subscriberId",
        ),
        "Organization": _shapes(
            list="identifier type telecom address contact", object="partOf", text="name", boolean="active"
        ),
        "Location": _shapes(
            list="identifier type telecom", object="managingOrganization partOf address", text="status name"
        ),
        "Practitioner": _shapes(list="identifier name telecom address qualification", boolean="active"),
        "PractitionerRole": _shapes(
            list="identifier code specialty location telecom",
            object="practitioner organization period",
            boolean="active",
        ),
        "RelatedPerson": _shapes(
            list="identifier relationship name telecom address",
            object="patient period",
            text="birthDate gender",
            boolean="active",
        ),
        "Group": _shapes(list="identifier member", object="code managingEntity", boolean="active actual"),
        "Claim": _shapes(
            object="type patient provider insurer billablePeriod",
            list="identifier diagnosis procedure item insurance careTeam",
            text="status use created",
        ),
    }
)
