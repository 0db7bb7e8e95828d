"""The tables of the store, as SQLAlchemy Core metadata; `migrations/` builds the same (a test holds them together).

Names are FHIR's where FHIR has one. Resources are kept as canonical JSON (keys sorted) beside a content hash;
everything else is an index over them that can be made again, except `quarantine`, `checkpoint` and `result`.
Text compares byte by byte on both databases, so "sorted by person" means the same everywhere; days in results are
dates, instants are ISO 8601 text in UTC.
"""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# Byte order in PostgreSQL too; SQLite's default collation is binary already.
Text = sa.String().with_variant(postgresql.VARCHAR(collation="C"), "postgresql")
# SQLite makes a rowid alias of INTEGER only.
Serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

source = sa.Table(
    "source",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", Text, nullable=False, unique=True),
    sa.Column("data_as_of", Text),  # start of the last complete pull; null before the first
)

pull = sa.Table(
    "pull",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("source_id", sa.ForeignKey("source.id"), nullable=False, index=True),
    sa.Column("started", Text, nullable=False),
    sa.Column("finished", Text),
    sa.Column("status", Text, nullable=False),  # running | complete | incomplete | abandoned
)

# What one pull did, per resource type of the stream that was read.
pull_type = sa.Table(
    "pull_type",
    metadata,
    sa.Column("pull_id", sa.ForeignKey("pull.id"), primary_key=True),
    sa.Column("type", Text, primary_key=True),
    sa.Column("new", sa.Integer, nullable=False),
    sa.Column("changed", sa.Integer, nullable=False),
    sa.Column("unchanged", sa.Integer, nullable=False),
    sa.Column("deleted", sa.Integer, nullable=False),
    sa.Column("quarantined", sa.Integer, nullable=False),
    sa.Column("repaired", sa.Integer, nullable=False),
)

# Where reading of one type stands. It outlives pulls: a type that failed goes on in the next one.
checkpoint = sa.Table(
    "checkpoint",
    metadata,
    sa.Column("source_id", sa.ForeignKey("source.id"), primary_key=True),
    sa.Column("type", Text, primary_key=True),
    sa.Column("reading", sa.Boolean, nullable=False),  # begun and not complete
    sa.Column("started", Text, nullable=False),  # when the reading that is (or was last) under way began
    sa.Column("since", Text),  # the `since` of that reading
    sa.Column("cursor", Text),  # where it resumes; null: at its beginning
    sa.Column("newest", Text),  # the newest meta.lastUpdated seen in it
    sa.Column("undated", sa.Boolean, nullable=False),  # it met a resource without meta.lastUpdated
    sa.Column("high_water", Text),  # the next reading's `since`; null: read everything
)

# The hot table. A row is written once per change, so it carries few indexes.
resource = sa.Table(
    "resource",
    metadata,
    sa.Column("seq", Serial, primary_key=True),
    sa.Column("source_id", sa.ForeignKey("source.id"), nullable=False),
    sa.Column("type", Text, nullable=False),
    sa.Column("id", Text, nullable=False),
    sa.Column("patient_id", Text),  # the Patient it is about, as its source names it; null: none, or not known
    sa.Column("pull_id", sa.Integer, nullable=False),  # the pull that brought this content
    sa.Column("hash", sa.LargeBinary, nullable=False),  # of the content; see ingest.content_hash
    sa.Column("body", sa.LargeBinary, nullable=False),  # canonical JSON, UTF-8
    sa.Index("uq_resource_source_id_type_id", "source_id", "type", "id", unique=True),
    sa.Index(
        "ix_resource_patient_id_source_id_type",
        "patient_id",
        "source_id",
        "type",
        sqlite_where=sa.text("patient_id IS NOT NULL"),
        postgresql_where=sa.text("patient_id IS NOT NULL"),
    ),
)

# What could not be used, whole, until the same resource arrives in order.
quarantine = sa.Table(
    "quarantine",
    metadata,
    sa.Column("id", Serial, primary_key=True),
    sa.Column("source_id", sa.ForeignKey("source.id"), nullable=False),
    sa.Column("digest", sa.LargeBinary, nullable=False),  # of code and raw: the same rejection is kept once
    sa.Column("code", Text, nullable=False),
    sa.Column("reason", Text, nullable=False),
    sa.Column("origin", Text, nullable=False),
    sa.Column("type", Text),
    sa.Column("resource_id", Text),
    sa.Column("raw", sa.LargeBinary, nullable=False),
    sa.Column("pull_id", sa.Integer, nullable=False),
    sa.Column("resolved_pull_id", sa.Integer),
    sa.UniqueConstraint("source_id", "digest"),
    sa.Index("ix_quarantine_resource_id_source_id", "resource_id", "source_id"),
)

# A Patient as its source has it: what linking and searching need of it.
patient = sa.Table(
    "patient",
    metadata,
    sa.Column("source_id", sa.ForeignKey("source.id"), primary_key=True),
    sa.Column("id", Text, primary_key=True),
    sa.Column("birth_date", Text),  # as written, perhaps partial
    sa.Column("gender", Text),
    sa.Column("names", Text, nullable=False),  # folded name parts, each after a "|"
    sa.Index("ix_patient_id", "id"),
    sa.Index("ix_patient_birth_date", "birth_date"),
)

# Identifiers of Patients and of RelatedPersons (a mother is known to her baby's record by hers).
identifier = sa.Table(
    "identifier",
    metadata,
    sa.Column("source_id", sa.ForeignKey("source.id"), primary_key=True),
    sa.Column("type", Text, primary_key=True),
    sa.Column("id", Text, primary_key=True),
    sa.Column("system", Text, primary_key=True),  # empty where the identifier has none
    sa.Column("value", Text, primary_key=True),
    sa.Index("ix_identifier_value_system", "value", "system"),
)

# Patient.link between two Patients of one source.
link = sa.Table(
    "link",
    metadata,
    sa.Column("source_id", sa.ForeignKey("source.id"), primary_key=True),
    sa.Column("patient_id", Text, primary_key=True),
    sa.Column("other_id", Text, primary_key=True),
    sa.Column("kind", Text, nullable=False),
    sa.Index("ix_link_source_id_other_id", "source_id", "other_id"),
)

# A RelatedPerson who is a mother: of which Patient.
mother = sa.Table(
    "mother",
    metadata,
    sa.Column("source_id", sa.ForeignKey("source.id"), primary_key=True),
    sa.Column("id", Text, primary_key=True),  # RelatedPerson.id
    sa.Column("patient_id", Text, nullable=False),  # the baby
    sa.Index("ix_mother_source_id_patient_id", "source_id", "patient_id"),
)

# Systems whose identifiers name a person, not a chart: equal ones (with equal birth dates) are one person.
person_system = sa.Table("person_system", metadata, sa.Column("system", Text, primary_key=True))

person = sa.Table(
    "person",
    metadata,
    sa.Column("id", Text, primary_key=True),
    sa.Column("revision", sa.Integer, nullable=False),  # the pull that last changed the record
)

person_patient = sa.Table(
    "person_patient",
    metadata,
    sa.Column("source_id", sa.ForeignKey("source.id"), primary_key=True),
    sa.Column("patient_id", Text, primary_key=True),
    sa.Column("person_id", sa.ForeignKey("person.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Index("ix_person_patient_patient_id", "patient_id"),
)

# Resources that belong to another person's record than their subject's (newborn visits under the mother).
attributed = sa.Table(
    "attributed",
    metadata,
    sa.Column("source_id", sa.ForeignKey("source.id"), primary_key=True),
    sa.Column("type", Text, primary_key=True),
    sa.Column("id", Text, primary_key=True),
    sa.Column("person_id", sa.ForeignKey("person.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("from_person_id", sa.ForeignKey("person.id", ondelete="CASCADE"), nullable=False, index=True),
)

# Where a patient belongs: organizations and practitioners that the record names.
affiliation = sa.Table(
    "affiliation",
    metadata,
    sa.Column("source_id", sa.ForeignKey("source.id"), primary_key=True),
    sa.Column("patient_id", Text, primary_key=True),
    sa.Column("kind", Text, primary_key=True),  # Organization | Practitioner
    sa.Column("ref_id", Text, primary_key=True),
    sa.Index("ix_affiliation_kind_ref_id", "kind", "ref_id"),
)

finding = sa.Table(
    "finding",
    metadata,
    sa.Column("person_id", sa.ForeignKey("person.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("reference", Text, primary_key=True),
    sa.Column("code", Text, primary_key=True),
    sa.Column("text", Text, primary_key=True),
)

# Patients whose resources changed since their persons were last linked. Emptied by the pull's end step.
touched = sa.Table(
    "touched",
    metadata,
    sa.Column("source_id", sa.ForeignKey("source.id"), primary_key=True),
    sa.Column("patient_id", Text, primary_key=True),
)

# The latest MeasureResult of a person, a measure and a period, whole.
result = sa.Table(
    "result",
    metadata,
    sa.Column("id", Serial, primary_key=True),
    sa.Column("report_id", Text, nullable=False),  # of its MeasureReport (fhir_profiles.deqm.measure_report_id)
    sa.Column("person_id", sa.ForeignKey("person.id", ondelete="CASCADE"), nullable=False),
    sa.Column("measure_id", Text, nullable=False),
    sa.Column("measure_url", Text, nullable=False),
    sa.Column("measure_version", Text, nullable=False),
    sa.Column("period_start", sa.Date, nullable=False),
    sa.Column("period_end", sa.Date, nullable=False),
    sa.Column("as_of", sa.Date, nullable=False),
    sa.Column("changes_on", sa.Date),  # earliest of its groups: from that day on the result has expired
    sa.Column("revision", sa.Integer, nullable=False),  # person.revision it was computed from
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.UniqueConstraint("person_id", "measure_url", "period_start", "period_end"),
    sa.Index("ix_result_changes_on", "changes_on"),
    sa.Index("ix_result_report_id", "report_id"),
)

# One row per rate of a result: what worklists and roll-ups ask for.
gap = sa.Table(
    "gap",
    metadata,
    sa.Column("result_id", sa.ForeignKey("result.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("group_id", Text, primary_key=True),
    sa.Column("person_id", Text, nullable=False),
    sa.Column("measure_url", Text, nullable=False),
    sa.Column("period_start", sa.Date, nullable=False),
    sa.Column("period_end", sa.Date, nullable=False),
    sa.Column("status", Text, nullable=False),
    sa.Column("outlook", Text, nullable=False),
    sa.Column("initial_population", sa.Boolean, nullable=False),
    sa.Column("denominator", sa.Boolean, nullable=False),
    sa.Column("excluded", sa.Boolean, nullable=False),  # denominator-exclusion or denominator-exception
    sa.Column("numerator", sa.Boolean, nullable=False),
    sa.Column("due_from", sa.Date),
    sa.Column("due_by", sa.Date),
    sa.Column("last_day", sa.Date),
    sa.Column("changes_on", sa.Date),
    # A roll-up reads this index alone, never the rows.
    sa.Index(
        "ix_gap_rollup",
        "measure_url",
        "period_start",
        "period_end",
        "group_id",
        "status",
        "outlook",
        "initial_population",
        "denominator",
        "excluded",
        "numerator",
    ),
    sa.Index("ix_gap_person_id_status", "person_id", "status"),
    sa.Index("ix_gap_status_last_day", "status", "last_day"),
)
