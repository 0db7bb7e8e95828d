"""What is planned for each child before anything is written as FHIR: values only, all frozen.

The plan is where truth comes from. A planned visit has a role by construction: an ANCHOR counts (anchors of one
W30 window are planned at least 14 days apart), a FOLLOW_UP is planned 1 to 13 days after its anchor and inside the
same W30 window, a COPY is the same visit in a second clinic's record, and a FLAWED visit never counts, for the one
reason it carries. `truth.py` reads roles; it never looks at FHIR.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from gapsvc.sandbox.disorder import Disorder
from gapsvc.sandbox.disparity import Disparity


class Role(StrEnum):
    ANCHOR = "anchor"
    FOLLOW_UP = "follow-up"
    COPY = "copy"
    FLAWED = "flawed"


class Flaw(StrEnum):
    """Why a visit that looks like a well visit does not count (the measures' discount reasons)."""

    NOT_RECOGNISED = "not-a-well-visit"
    ENTERED_IN_ERROR = "entered-in-error"
    NOT_FINISHED = "not-finished"
    INPATIENT = "inpatient"
    EMERGENCY = "emergency"
    TELEHEALTH = "telehealth"
    IMPRECISE = "imprecise-date"
    UNDER_MOTHER = "under-mother"  # in the mother's record, and nothing links it to this child


class Recognised(StrEnum):
    """By what a reader can tell that the encounter is a well visit."""

    BY_TYPE = "type"  # CPT and SNOMED in Encounter.type, and a Z code in reasonCode
    BY_REASON = "reason"  # a local type; the Z code in reasonCode
    BY_CONDITION = "condition"  # a local type; Condition.encounter points back, with the Z code
    BY_DIAGNOSIS = "diagnosis"  # a local type; Encounter.diagnosis points to such a Condition
    BY_PROCEDURE = "procedure"  # a local type; a completed Procedure of this encounter with the CPT code
    BY_HCPCS = "hcpcs"  # a local type; a completed Procedure of this encounter with a HCPCS code
    NOT = "not"  # a local type and nothing else


class DoseFlaw(StrEnum):
    """What is wrong with a planned Immunization."""

    TOO_EARLY = "too-early"
    TOO_CLOSE = "too-close"
    REFUSED = "refused"
    ENTERED_IN_ERROR = "entered-in-error"
    IMPRECISE = "imprecise-date"
    LOCAL_CODE = "local-code"


MOTHER = -1  # VisitPlan.registration of a visit under the mother's Patient


@dataclass(frozen=True, slots=True)
class VisitPlan:
    """One encounter with a well-visit look. `registration` is an index into ChildPlan.registrations, or MOTHER."""

    id: str
    on: date
    minute: int  # start, minutes after midnight, local time
    role: Role
    slot: str
    registration: int = 0
    flaw: Flaw | None = None
    recognised: Recognised = Recognised.BY_TYPE
    status: str = "finished"
    setting: str = "AMB"  # v3-ActCode


class Illness(StrEnum):
    SICK = "sick"
    EMERGENCY = "emergency"
    BIRTH = "birth"  # the inpatient birth stay, coded as such (Z38), never as a well visit


@dataclass(frozen=True, slots=True)
class OtherVisitPlan:
    """One encounter that nobody would take for a well visit."""

    id: str
    on: date
    minute: int
    kind: Illness
    complaint: int  # index into codes.COMPLAINTS
    registration: int = 0


class DoseForm(StrEnum):
    """How the record shows a dose."""

    GIVEN = "given"  # an Immunization
    CLAIM = "claim"  # a Procedure with the product's CPT code
    BILLED = "billed"  # a line of a Claim that the payer has, with the product's CPT code
    BIRTH_PROCEDURE = "birth-procedure"  # the hospital's Procedure, ICD-10-PCS: the birth dose of hepatitis B


@dataclass(frozen=True, slots=True)
class DosePlan:
    """One dose as one record shows it. `product` is a key of products.PRODUCTS; `historical`: given elsewhere."""

    id: str
    on: date
    minute: int
    product: str
    registration: int = 0
    visit: str | None = None  # its encounter, where the child's record has one
    flaw: DoseFlaw | None = None
    historical: bool = False
    form: DoseForm = DoseForm.GIVEN

    @property
    def reference(self) -> str:
        kind = {DoseForm.GIVEN: "Immunization", DoseForm.BILLED: "Claim"}.get(self.form, "Procedure")
        return f"{kind}/{self.id}"


class ServiceFlaw(StrEnum):
    """Why a test or service that looks like one does not count (the measures' discount reasons)."""

    NO_RESULT = "no-result"
    NOT_FINAL = "not-final"
    REFUSED = "not-given"
    ENTERED_IN_ERROR = "entered-in-error"
    IMPRECISE = "imprecise-date"
    LOCAL_CODE = "local-code"  # nothing shows what it was: it is looked at by no measure


@dataclass(frozen=True, slots=True)
class ServicePlan:
    """One lead test, developmental screening or fluoride application. `code` is a key of service_codes.SERVICES."""

    id: str
    on: date
    minute: int
    code: str
    registration: int = 0
    visit: str | None = None
    flaw: ServiceFlaw | None = None
    value: float | None = None  # of a lead test: micrograms per decilitre
    elsewhere: bool = False  # by another kind of provider than its code suggests
    billed: bool = False  # known from a line of a Claim that the payer has


class Doubt(StrEnum):
    """What keeps a condition from being taken as it stands."""

    ENTERED_IN_ERROR = "entered-in-error"
    REFUTED = "refuted"
    IMPRECISE = "imprecise-date"  # the month only, or no date at all


@dataclass(frozen=True, slots=True)
class HistoryPlan:
    """One condition that bears on vaccines. `event` is a key of history_codes.EVENTS."""

    id: str
    on: date
    event: str
    doubt: Doubt | None = None
    undated: bool = False  # imprecise: no date at all

    @property
    def reference(self) -> str:
        return f"Condition/{self.id}"


@dataclass(frozen=True, slots=True)
class HospicePlan:
    """Hospice care on a day, shown by an encounter or by a procedure."""

    id: str
    on: date
    as_procedure: bool = False


class RaceSaid(StrEnum):
    """How the record has race and ethnicity."""

    DIRECT = "direct"
    DECLINED = "declined"  # asked but not answered: NullFlavor ASKU
    UNKNOWN = "unknown"  # NullFlavor UNK
    SILENT = "silent"  # no extension at all


@dataclass(frozen=True, slots=True)
class CoveragePlan:
    """A span of coverage, both days inclusive; without an end it goes on. `payer` is an index into places.PAYERS."""

    start: date
    end: date | None
    payer: int
    status: str = "active"
    self_pay: bool = False
    by_month: bool = False  # the record knows the month of the start only


@dataclass(frozen=True, slots=True)
class Registration:
    """The child as one clinic knows it: one Patient resource."""

    patient: str  # Patient id
    organization: int  # index into places.CLINICS
    location: int  # index into that clinic's sites
    practitioner: int  # index among that clinic's practitioners
    mrn: str


@dataclass(frozen=True, slots=True)
class ChildPlan:
    """One child (person). The first registration's Patient id is the lexicographically first: the person id."""

    number: int
    registrations: tuple[Registration, ...]
    given: str
    sex: str  # male | female
    birth: date
    birth_precision: str  # day | month
    race: str | None  # a key of people.RACES; None where it is missing
    race_said: RaceSaid
    race_imputed: str | None  # a key of people.RACES that somebody's model put in the place of an answer
    ethnicity: str | None
    cin: str
    multiple: int  # 1 for a single birth, else the birth order of a twin
    history_from: date  # before it the network did not know the child
    deceased: date | None
    deceased_as_boolean: bool
    related: str | None  # RelatedPerson id of the mother
    related_identified: bool  # that RelatedPerson carries the mother's CIN
    visits: tuple[VisitPlan, ...]
    others: tuple[OtherVisitPlan, ...]
    doses: tuple[DosePlan, ...]
    asthma: date | None
    disorder: tuple[str, ...]
    completes: bool | None = None  # under a planted disparity: whether it gets all its care, or falls short
    coverage: tuple[CoveragePlan, ...] = ()
    services: tuple[ServicePlan, ...] = ()
    history: tuple[HistoryPlan, ...] = ()
    hospice: tuple[HospicePlan, ...] = ()

    @property
    def person(self) -> str:
        return self.registrations[0].patient


@dataclass(frozen=True, slots=True)
class MotherPlan:
    given: str
    birth: date
    patient: str | None  # Patient id where she is a patient of the network too
    cin: str
    mrn: str
    organization: int
    location: int
    practitioner: int
    checkups: tuple[tuple[str, date, int, bool], ...]  # (encounter id, day, minute, postpartum?)


@dataclass(frozen=True, slots=True)
class FamilyPlan:
    number: int
    name: str
    language: str  # BCP 47
    zip_at: int  # index into places.ZIPS
    street: str
    phone: str
    payer: int  # index into places.PAYERS
    mother: MotherPlan
    children: tuple[ChildPlan, ...]


@dataclass(frozen=True, slots=True)
class Frame:
    """What a population was asked to be. `period` is the measurement period, both days inclusive."""

    seed: int
    size: int
    as_of: date
    period: tuple[date, date]
    disorder: Disorder
    disparity: Disparity | None = None
