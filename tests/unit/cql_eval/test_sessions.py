"""A library from text to answers: parameters, terminology, sessions, what was retrieved."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import pytest

import cql_like
from cql_like import Date, DateTime, ExpandedTerminology, Interval

VISITS = """
library Visits version '2.0.0'
using FHIR version '4.0.1'
include Common called Shared
codesystem "CPT": 'http://www.ama-assn.org/go/cpt'
valueset "Well Visit": 'urn:vs:well-visit'
valueset "Hospice": 'urn:vs:hospice'
code "Preventive visit": '99381' from "CPT"
parameter "Measurement Period" Interval<DateTime>
parameter "Needed" Integer default 2
context Patient
define "Well Visits":
  [Encounter: type in "Well Visit"] E
    where E.status = 'finished' and date from start of E.period in Shared."Period"
define "In Hospice": exists [Encounter: type in "Hospice"]
define "First Preventive": First([Encounter: type ~ "Preventive visit"] E sort by id.value)
define "Numerator": Count("Well Visits") >= "Needed"
define "Today's Date": Today()
define "All Encounters": [Encounter]
"""
COMMON = """
library Common
using FHIR version '4.0.1'
parameter "Measurement Period" Interval<DateTime>
context Patient
define "Period": Interval[date from start of "Measurement Period", date from end of "Measurement Period"]
define "Asked": 1
"""
YEAR = Interval(DateTime(2024, 1, 1, 0, 0, 0, 0, 0), DateTime(2024, 12, 31, 23, 59, 59, 999, 0))
CPT = "http://www.ama-assn.org/go/cpt"
WELL = {
    "resourceType": "ValueSet",
    "url": "urn:vs:well-visit",
    "compose": {"include": [{"system": CPT, "concept": [{"code": "99381"}, {"code": "99391"}]}]},
}
ENGINES = ("compiled", "reference")


def encounter(number, code, day, status="finished"):
    return {
        "resourceType": "Encounter",
        "id": f"e{number}",
        "status": status,
        "type": [{"coding": [{"system": CPT, "code": code}]}],
        "period": {"start": f"{day}T09:00:00Z"},
    }


FIRST = encounter(1, "99381", "2024-01-05")
SECOND = encounter(2, "99391", "2024-03-05")
CANCELLED = encounter(3, "99391", "2024-04-05", "cancelled")
SICK = encounter(4, "99213", "2024-05-05")
PATIENT = {"resourceType": "Patient", "id": "child", "birthDate": "2024-01-02"}


@dataclass
class Record:
    """A Retriever that notes what it was asked for."""

    resources: tuple[dict, ...] = (PATIENT, FIRST, SECOND, CANCELLED, SICK)
    asked: list = field(default_factory=list)

    def retrieve(self, resource_type, code_path=None, codes=None):
        self.asked.append((resource_type, code_path))
        found = [resource for resource in self.resources if resource["resourceType"] == resource_type]
        if codes is None:
            return found
        return [resource for resource in found if _codes(resource[code_path]) & codes]


def _codes(concepts):
    return {(coding["system"], coding["code"]) for concept in concepts for coding in concept["coding"]}


@pytest.fixture(scope="module")
def library():
    return cql_like.compile_library(VISITS, {("Common", None): COMMON})


@pytest.fixture(params=ENGINES)
def factory(request, library):
    return library.prepare(
        {"Measurement Period": YEAR},
        ExpandedTerminology.of([WELL]),
        datetime(2024, 6, 1, 12, tzinfo=UTC),
        engine=request.param,
    )


def test_what_a_library_declares(library):
    assert (library.name, library.version) == ("Visits", "2.0.0")
    assert list(library.defines)[-6:] == [
        "Well Visits", "In Hospice", "First Preventive", "Numerator", "Today's Date", "All Encounters",
    ]  # fmt: skip
    assert {name: str(parameter.type) for name, parameter in library.parameters.items()} == {
        "Measurement Period": "Interval<System.DateTime>",
        "Needed": "System.Integer",
    }
    assert [
        (item.resource_type, item.code_path, item.value_sets) for item in library.requirements if item.code_path
    ] == [
        ("Encounter", "type", ()),
        ("Encounter", "type", ("urn:vs:hospice",)),
        ("Encounter", "type", ("urn:vs:well-visit",)),
    ]


def test_defines_of_a_session(factory):
    session = factory.session(Record())
    assert session.evaluate("Well Visits") == [FIRST, SECOND]
    assert session.evaluate("Numerator") is True
    assert session.evaluate("First Preventive") == FIRST
    assert session.evaluate("Today's Date") == Date(2024, 6, 1)
    assert session.evaluate("Common.Asked") == 1


def test_only_what_is_asked_for_is_computed_and_only_once(factory):
    record = Record()
    session = factory.session(record)
    assert session.evaluate("Today's Date") == Date(2024, 6, 1)
    assert record.asked == []
    session.evaluate("Numerator")
    session.evaluate("Numerator")
    session.evaluate("Well Visits")
    assert record.asked == [("Encounter", "type")]


def test_what_was_retrieved_each_once_in_order(factory):
    session = factory.session(Record())
    session.evaluate("First Preventive")
    assert session.retrieved == (FIRST,)
    session.evaluate("Well Visits")
    session.evaluate("All Encounters")
    assert session.retrieved == (FIRST, SECOND, CANCELLED, SICK)


def test_sessions_of_one_factory_do_not_know_each_other(factory):
    two, none = factory.session(Record()), factory.session(Record((PATIENT,)))
    assert (two.evaluate("Numerator"), none.evaluate("Numerator")) == (True, False)


def test_an_unknown_define_names_those_there_are(factory):
    with pytest.raises(
        cql_like.UnknownName, match=r"library Visits\|2\.0\.0 has no define 'Numrator'; it has .*Numerator"
    ):
        factory.session(Record()).evaluate("Numrator")


# ------------------------------------------------------------------------------------------------- value sets


def test_a_missing_value_set_spoils_only_what_needs_it_and_the_error_says_who_does(factory):
    session = factory.session(Record())
    with pytest.raises(cql_like.UnknownValueSet) as caught:
        session.evaluate("In Hospice")
    assert str(caught.value) == (
        "value set urn:vs:hospice is not in the terminology (1 value sets); "
        'it is needed by Visits|2.0.0."In Hospice" ("Hospice")'
    )
    assert session.evaluate("Numerator") is True


def test_a_value_set_that_will_be_needed_is_missed_before_the_first_record(library):
    terminology = ExpandedTerminology.of([WELL])
    with pytest.raises(cql_like.UnknownValueSet, match="urn:vs:hospice"):
        library.prepare({}, terminology, defines=["Numerator", "In Hospice"])
    assert library.prepare({}, terminology, defines=["Numerator"]).missing_value_sets(["Numerator"]) == ()


def test_without_any_terminology(library):
    with pytest.raises(cql_like.UnknownValueSet, match="urn:vs:hospice is not in this session: it was given no term"):
        library.session(Record()).evaluate("In Hospice")


# ------------------------------------------------------------------------------------------------- parameters


@pytest.mark.parametrize("engine", ENGINES)
def test_parameters_reach_every_library_that_declares_them_unless_one_is_named(library, engine):
    def period(parameters):
        return library.session(Record(), parameters, engine=engine).evaluate("Common.Period")

    shorter = Interval(DateTime(2024, 2, 1, 0, 0, 0, 0, 0), DateTime(2024, 2, 29, 0, 0, 0, 0, 0))
    assert period({"Measurement Period": YEAR}) == Interval(Date(2024, 1, 1), Date(2024, 12, 31))
    assert period({"Common.Measurement Period": shorter, "Measurement Period": YEAR}) == Interval(
        Date(2024, 2, 1), Date(2024, 2, 29)
    )


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (
            {"Period": YEAR},
            r'no parameter is called "Period"; library Visits\|2\.0\.0 has "Measurement Period", "Needed"',
        ),
        ({"Needed": "2"}, 'parameter "Needed" is declared as System.Integer; the value given is a System.String'),
        ({"Needed": True}, "the value given is a System.Boolean"),
        (
            {"Measurement Period": Interval(Date(2024), Date(2025))},
            r"declared as Interval<System\.DateTime>; the value given is a System\.Interval of System\.Date",
        ),
    ],
)
def test_a_wrong_parameter_is_refused_before_any_record(library, parameters, message):
    with pytest.raises(cql_like.WrongParameter, match=message):
        library.prepare(parameters)


def test_python_dates_are_dates():
    library = cql_like.compile_library("parameter Day Date\nparameter At DateTime\ndefine D: Day\ndefine A: At")
    session = library.session(Record(), {"Day": date(2024, 2, 29), "At": datetime(2024, 2, 29, 8, tzinfo=UTC)})
    assert session.evaluate("D") == Date(2024, 2, 29)
    assert session.evaluate("A") == DateTime(2024, 2, 29, 8, 0, 0, 0, 0)


def test_a_default_may_be_computed():
    library = cql_like.compile_library("parameter Until Date default Date(2024, 1, 1) + 2 years\ndefine U: Until")
    for engine in ENGINES:
        assert library.session(Record(), engine=engine).evaluate("U") == Date(2026, 1, 1)


# ------------------------------------------------------------------------------------------------- other ports


@pytest.mark.parametrize("engine", ENGINES)
def test_the_unfiltered_context_asks_the_population(engine):
    text = """
    library Clinic
    using FHIR version '4.0.1'
    context Unfiltered
    define "All Encounters": [Encounter]
    context Patient
    define "Share": Count([Encounter]) / Count("All Encounters")
    """
    factory = cql_like.compile_library(text).prepare(engine=engine)
    one, everyone = Record((PATIENT, FIRST)), Record((FIRST, SECOND, SICK, CANCELLED))
    assert str(factory.session(one, population=everyone).evaluate("Share")) == "0.25"
    with pytest.raises(cql_like.CqlRuntimeError, match=r"\[Encounter\] in the Unfiltered context .* `population=`"):
        factory.session(one).evaluate("Share")


@pytest.mark.parametrize("engine", ENGINES)
def test_now_is_given_never_read(library, engine):
    with pytest.raises(cql_like.CqlRuntimeError, match="give `now=`"):
        library.session(Record(), engine=engine).evaluate("Today's Date")


def test_an_unknown_engine_is_refused(library):
    with pytest.raises(ValueError, match='expected "compiled" or "reference"'):
        library.prepare(engine="fast")


@pytest.mark.parametrize("engine", ENGINES)
def test_libraries_prepared_together_share_what_they_include(engine):
    other = cql_like.compile_library(
        """
        library Other
        using FHIR version '4.0.1'
        include Common called Shared
        context Patient
        define "Days": duration in days between start of Shared."Period" and end of Shared."Period"
        """,
        {("Common", None): COMMON},
    )
    visits = cql_like.compile_library(VISITS, {("Common", None): COMMON})
    factory = cql_like.prepare_together(
        [visits, other], {"Measurement Period": YEAR}, ExpandedTerminology.of([WELL]), engine=engine
    )
    session = factory.session(Record())
    assert (session.evaluate("Visits.Numerator"), session.evaluate("Other.Days")) == (True, 365)


def test_libraries_that_include_different_texts_under_one_name_are_not_prepared_together():
    text = "library {} include Common define D: Common.Asked"
    one = cql_like.compile_library(text.format("One"), {("Common", None): "library Common define Asked: 1"})
    two = cql_like.compile_library(text.format("Two"), {("Common", None): "library Common define Asked: 2"})
    with pytest.raises(ValueError, match="library Common stands for two different texts"):
        cql_like.prepare_together([one, two])


# ------------------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize("engine", ENGINES)
def test_an_error_says_where_in_which_library_it_arose(engine):
    helper = "library Helper define function Backwards(low Integer):\n  Interval[low, 1]"
    text = 'library Main include Helper\ndefine "Start": start of Helper.Backwards(5)\ndefine "Other": 2'
    session = cql_like.compile_library(text, {("Helper", None): helper}).session(Record(), engine=engine)
    with pytest.raises(cql_like.CqlRuntimeError, match=r"^Helper:2:3: an interval can't end before it starts"):
        session.evaluate("Start")
    with pytest.raises(cql_like.CqlRuntimeError, match=r"^Helper:2:3: an interval can't end before it starts"):
        session.trace("Start")
    assert session.evaluate("Other") == 2


@pytest.mark.parametrize("engine", ENGINES)
def test_a_strict_cast_of_another_type_is_an_error(engine):
    with pytest.raises(cql_like.CqlRuntimeError, match=r"cast: a value of type System\.Integer is no System\.String"):
        cql_like.evaluate("cast (1 as Choice<Integer, String>) as String", engine=engine)


@pytest.mark.parametrize("engine", ENGINES)
def test_messages_are_kept_per_session_and_a_trace_adds_none(engine):
    factory = cql_like.compile_library("define A: Message(1, true, '7', 'Warning', 'look')").prepare(engine=engine)
    other, session = factory.session(Record()), factory.session(Record())
    other.evaluate("A")
    assert (session.evaluate("A"), session.trace("A").value) == (1, 1)
    assert [(message.severity, message.code, message.message) for message in session.messages] == [
        ("Warning", "7", "look")
    ]
