"""What the endpoints work with, made once at start: settings, store, compiled measures, clients, and the clock."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

from flask import current_app

from fhir_profiles.deqm import Reporting
from gapsvc.child_reader import child_reader
from gapsvc.config import Settings
from gapsvc.evaluation.child import ChildReader
from gapsvc.evaluation.evaluator import Evaluator
from gapsvc.measures import MeasureDefinition
from gapsvc.measures_in_use import measures_in_use
from gapsvc.publishing import public_base, reporting_of
from gapsvc.schedule.immunizations import Schedule
from gapsvc.schedule.immunizations.vaccine_codes import CodeTable
from gapsvc.schedules import active_schedule, code_table
from gapsvc.security.clients import ClientRegistry
from gapsvc.store import Store


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Service:
    """One running service. `base_url` is its public FHIR base; `now` the only clock that the API reads."""

    settings: Settings
    store: Store
    evaluators: Mapping[str, Evaluator]
    clients: ClientRegistry
    schedule: Schedule  # CDC's immunization schedule, compiled
    vaccine_codes: CodeTable  # what leads to CVX
    children: ChildReader  # all of these together, for one child's page or card
    base_url: str
    now: Callable[[], datetime] = _now

    @staticmethod
    def start(
        settings: Settings,
        store: Store,
        *,
        base_url: str | None = None,
        now: Callable[[], datetime] = _now,
    ) -> "Service":
        """Compile the measures and the immunization schedule in use, and read the clients.

        Raises:
            MeasureError: a measure that the settings name does not exist, or is wrong.
            NoSuchSchedule, UnknownFormat, NdcTableRefused: the settings' schedule or NDC table can't be used.
        """
        compiled = measures_in_use(settings)
        schedule, codes = active_schedule(settings), code_table(settings)
        return Service(
            settings=settings,
            store=store,
            evaluators=compiled,
            clients=ClientRegistry(settings.clients),
            schedule=schedule,
            vaccine_codes=codes,
            children=child_reader(settings, compiled, schedule=schedule, codes=codes),
            base_url=(base_url or public_base(settings)).rstrip("/"),
            now=now,
        )

    @property
    def today(self) -> date:
        """The as-of day of every answer: the setting, else the server's day."""
        return self.settings["evaluation.as_of"] or self.now().date()

    @property
    def measures(self) -> Mapping[str, MeasureDefinition]:
        return {name: evaluator.measure for name, evaluator in self.evaluators.items()}

    def reporting(self) -> Reporting:
        """The circumstances under which an answer is given now."""
        return reporting_of(self.settings, self.now(), self.base_url)


def service() -> Service:
    """The service of the app that answers the current request."""
    return current_app.extensions["gapsvc"]
