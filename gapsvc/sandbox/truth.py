"""The truth about each child, read off the plan: never from FHIR, never by running a measure.

One line of `truth.ndjson` per child. For each measure rate: populations (0 or 1), gap status, what is needed, done
and still possible, and the resources that count or don't (with the reason planned for them). `due_from`, `last_day`
and `outlook` are null where the child is excluded; `due_from` and `last_day` also where nothing more is needed.
A reason is the flaw that a visit, dose or service was planned with, or follows from its day: same-day, too-close,
before-window, after-window. `under-mother` names an encounter of the mother's Patient that nothing links to this
child: it is in no child's record. A visit that nothing shows to be a well visit (`not-a-well-visit`) is named in the
rates in whose window it lies.

`enrolment` is for the population "plan": why the child is not in a rate's denominator there, null where it is.
Everything else is said of the population "clinic".

Under a planted disparity (disparity.py) `completes` says what the child was dealt.

The rules are in truth_visits.py, truth_series.py and truth_services.py; docs/measures has them in words.
"""

from typing import Any

from gapsvc.sandbox.plan import ChildPlan, Frame
from gapsvc.sandbox.truth_enrolment import enrolment
from gapsvc.sandbox.truth_series import series_rates
from gapsvc.sandbox.truth_services import service_rates
from gapsvc.sandbox.truth_visits import visit_rates


def truth_of(child: ChildPlan, frame: Frame) -> dict[str, Any]:
    """The line of truth about one child."""
    flawed = {dose.reference: dose.flaw.value for dose in child.doses if dose.flaw}
    planted = {} if child.completes is None else {"completes": child.completes}
    measures = visit_rates(child, frame) | series_rates(child, frame) | service_rates(child, frame)
    return {
        "person": child.person,
        "patients": sorted(registration.patient for registration in child.registrations),
        "birth_date": child.birth.isoformat()[: 10 if child.birth_precision == "day" else 7],
        "race": child.race,
        "race_said": child.race_said.value,
        "race_imputed": child.race_imputed,
        "ethnicity": child.ethnicity,
        "disorder": list(child.disorder),
        **planted,
        "measures": measures,
        "enrolment": enrolment(child, frame, measures),
        "immunizations": {"unflawed": len(child.doses) - len(flawed), "flawed": flawed},
    }
