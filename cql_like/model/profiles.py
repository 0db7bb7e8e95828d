"""What tells the instances of a profile from others of its resource, where data do not name their profiles.

A retrieve of a profile (`["observation-bp"]`, `["ImmunizationNotDone"]`) means the instances of that profile. Plain
FHIR seldom says in `meta.profile` which profiles it meets, so the elements that a profile fixes decide: the code of a
vital sign (FHIR R4 vital signs profiles; US Core 6.1.0), the status of what was not done (QICore 4.1.1 and 6.0.0,
negation profiles). Profiles that fix nothing of the kind are all of their resource.
"""

from collections.abc import Mapping
from types import MappingProxyType

LOINC = "http://loinc.org"

# The profile's LOINC code, by class name.
CODES: Mapping[str, str] = MappingProxyType(
    {
        "observation-bmi": "39156-5",
        "observation-bodyheight": "8302-2",
        "observation-bodytemp": "8310-5",
        "observation-bodyweight": "29463-7",
        "observation-bp": "85354-9",
        "observation-headcircum": "9843-4",
        "observation-heartrate": "8867-4",
        "observation-oxygensat": "2708-6",
        "observation-resprate": "9279-1",
        "observation-vitalspanel": "85353-1",
        **{
            f"{prefix}{name}Profile": code
            for prefix in ("USCore", "")  # QICore's names and USCore's own
            for name, code in (
                ("BMI", "39156-5"),
                ("BloodPressure", "85354-9"),
                ("BodyHeight", "8302-2"),
                ("BodyTemperature", "8310-5"),
                ("BodyWeight", "29463-7"),
                ("HeadCircumference", "9843-4"),
                ("HeartRate", "8867-4"),
                ("RespiratoryRate", "9279-1"),
                ("PulseOximetry", "59408-5"),
                ("PediatricBMIforAgeObservation", "59576-9"),
                ("PediatricWeightForHeightObservation", "77606-2"),
                ("PediatricHeadOccipitalFrontalCircumferencePercentile", "8289-1"),
            )
        },
    }
)

# The element that the profile fixes and its value, by class name.
FIXED: Mapping[str, tuple[str, str | bool]] = MappingProxyType(
    {
        "CommunicationNotDone": ("status", "not-done"),
        "ImmunizationNotDone": ("status", "not-done"),
        "MedicationAdministrationNotDone": ("status", "not-done"),
        "MedicationDispenseNotDone": ("status", "declined"),
        "MedicationDispenseDeclined": ("status", "declined"),
        "MedicationNotRequested": ("doNotPerform", True),
        "ObservationNotDone": ("status", "cancelled"),
        "ObservationCancelled": ("status", "cancelled"),
        "ProcedureNotDone": ("status", "not-done"),
        "ServiceNotRequested": ("doNotPerform", True),
        "TaskNotDone": ("status", "rejected"),
        "TaskRejected": ("status", "rejected"),
    }
)
