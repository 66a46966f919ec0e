"""The first tables, and what the runtime role may do with each.

The runtime role may add to what happened and never change it: PostgreSQL itself refuses UPDATE, DELETE and TRUNCATE.
"""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

RUNTIME_ROLE = "records_runtime"

# How something stands now; the steps that led there are rows of their own.
STANDS = ("appointment", "item", "pathway", "referral", "team", "therapy_line")
# What happened; rows are added and never changed.
APPENDED = (
    "decision",
    "decision_fact",
    "evaluation",
    "event",
    "fact",
    "filed_call",
    "item_fact",
    "item_step",
    "message",
    "message_fact",
    "message_item",
    "person",
    "referral_step",
    "refused_report",
    "reply",
)

TABLES = """
CREATE TABLE filed_call (
    idempotency_key UUID NOT NULL,
    rpc VARCHAR NOT NULL,
    patient_id UUID NOT NULL,
    seq BIGINT NOT NULL,
    answer JSONB NOT NULL,
    filed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_filed_call PRIMARY KEY (idempotency_key)
);
CREATE UNIQUE INDEX uq_filed_call_plan ON filed_call (patient_id, seq) WHERE rpc = 'ApplyPlan';

CREATE TABLE person (
    patient_id UUID NOT NULL,
    nhs_number VARCHAR,
    local_identifier VARCHAR DEFAULT '' NOT NULL,
    given_name VARCHAR NOT NULL,
    family_name VARCHAR NOT NULL,
    birth_date DATE NOT NULL,
    sex VARCHAR DEFAULT '' NOT NULL,
    registered_at TIMESTAMP WITH TIME ZONE NOT NULL,
    registered_by VARCHAR NOT NULL,
    CONSTRAINT pk_person PRIMARY KEY (patient_id),
    CONSTRAINT ck_person_identified CHECK (nhs_number IS NOT NULL OR local_identifier <> '')
);
CREATE INDEX ix_person_family_name ON person (lower(family_name) text_pattern_ops, birth_date);
CREATE INDEX ix_person_local_identifier ON person (local_identifier);
CREATE UNIQUE INDEX uq_person_local_identifier ON person (local_identifier) WHERE nhs_number IS NULL;
CREATE UNIQUE INDEX uq_person_nhs_number ON person (nhs_number);

CREATE TABLE refused_report (
    refused_report_id UUID NOT NULL,
    idempotency_key UUID NOT NULL,
    patient_id UUID NOT NULL,
    seq BIGINT NOT NULL,
    kind VARCHAR DEFAULT '' NOT NULL,
    payload BYTEA NOT NULL,
    reason VARCHAR NOT NULL,
    kept_at TIMESTAMP WITH TIME ZONE NOT NULL,
    actor_subject VARCHAR NOT NULL,
    actor_role VARCHAR NOT NULL,
    actor_team VARCHAR DEFAULT '' NOT NULL,
    actor_on_behalf_of VARCHAR DEFAULT '' NOT NULL,
    CONSTRAINT pk_refused_report PRIMARY KEY (refused_report_id),
    CONSTRAINT uq_refused_report_idempotency_key UNIQUE (idempotency_key)
);
CREATE INDEX ix_refused_report_patient_id_seq ON refused_report (patient_id, seq);

CREATE TABLE reply (
    caller VARCHAR NOT NULL,
    idempotency_key UUID NOT NULL,
    request_hash VARCHAR NOT NULL,
    patient_id UUID NOT NULL,
    seq BIGINT DEFAULT '0' NOT NULL,
    event_id UUID,
    accepted_at TIMESTAMP WITH TIME ZONE NOT NULL,
    answer JSONB NOT NULL,
    CONSTRAINT pk_reply PRIMARY KEY (caller, idempotency_key)
);
CREATE INDEX ix_reply_patient_id ON reply (patient_id);

CREATE TABLE team (
    team_id VARCHAR NOT NULL,
    position INTEGER NOT NULL,
    name VARCHAR NOT NULL,
    roles VARCHAR[] NOT NULL,
    lead VARCHAR DEFAULT '' NOT NULL,
    deputy VARCHAR DEFAULT '' NOT NULL,
    telephone VARCHAR DEFAULT '' NOT NULL,
    email VARCHAR DEFAULT '' NOT NULL,
    members JSONB NOT NULL,
    CONSTRAINT pk_team PRIMARY KEY (team_id)
);

CREATE TABLE evaluation (
    evaluation_id UUID NOT NULL,
    idempotency_key UUID NOT NULL,
    patient_id UUID NOT NULL,
    seq BIGINT NOT NULL,
    as_of TIMESTAMP WITH TIME ZONE NOT NULL,
    guideline VARCHAR NOT NULL,
    version VARCHAR NOT NULL,
    content_hash VARCHAR NOT NULL,
    judgements JSONB NOT NULL,
    filed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_evaluation PRIMARY KEY (evaluation_id),
    CONSTRAINT uq_evaluation_idempotency_key UNIQUE (idempotency_key),
    CONSTRAINT fk_evaluation_patient_id FOREIGN KEY(patient_id) REFERENCES person (patient_id)
);
CREATE INDEX ix_evaluation_patient_id_seq ON evaluation (patient_id, seq, filed_at);

CREATE TABLE event (
    event_id UUID NOT NULL,
    patient_id UUID NOT NULL,
    seq BIGINT NOT NULL,
    kind VARCHAR NOT NULL,
    payload JSONB NOT NULL,
    occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    source VARCHAR DEFAULT '' NOT NULL,
    correlation_id VARCHAR DEFAULT '' NOT NULL,
    actor_subject VARCHAR NOT NULL,
    actor_role VARCHAR NOT NULL,
    actor_team VARCHAR DEFAULT '' NOT NULL,
    actor_on_behalf_of VARCHAR DEFAULT '' NOT NULL,
    CONSTRAINT pk_event PRIMARY KEY (event_id),
    CONSTRAINT uq_event_patient_id_seq UNIQUE (patient_id, seq),
    CONSTRAINT fk_event_patient_id FOREIGN KEY(patient_id) REFERENCES person (patient_id)
);

CREATE TABLE item (
    item_id UUID NOT NULL,
    patient_id UUID NOT NULL,
    key VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    rule_id VARCHAR DEFAULT '' NOT NULL,
    number VARCHAR DEFAULT '' NOT NULL,
    title VARCHAR NOT NULL,
    reason VARCHAR DEFAULT '' NOT NULL,
    owner_role VARCHAR DEFAULT '' NOT NULL,
    owner_team VARCHAR NOT NULL,
    due_on DATE NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE NOT NULL,
    urgency VARCHAR NOT NULL,
    status VARCHAR NOT NULL,
    opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
    closed_at TIMESTAMP WITH TIME ZONE,
    closed_reason VARCHAR DEFAULT '' NOT NULL,
    overdue_at TIMESTAMP WITH TIME ZONE,
    missing_fact VARCHAR DEFAULT '' NOT NULL,
    supplied_by VARCHAR DEFAULT '' NOT NULL,
    subject_id VARCHAR DEFAULT '' NOT NULL,
    opened_by_event_id UUID,
    moved INTEGER DEFAULT '0' NOT NULL,
    CONSTRAINT pk_item PRIMARY KEY (item_id),
    CONSTRAINT ck_item_status CHECK (status IN ('open', 'done', 'withdrawn', 'replaced')),
    CONSTRAINT ck_item_closed CHECK (status = 'open' OR (closed_at IS NOT NULL AND closed_reason <> '')),
    CONSTRAINT ck_item_owned
        CHECK (status <> 'open' OR (owner_team IS NOT NULL AND due_on IS NOT NULL AND due_at IS NOT NULL)),
    CONSTRAINT uq_item_patient_id_item_id UNIQUE (patient_id, item_id),
    CONSTRAINT fk_item_patient_id FOREIGN KEY(patient_id) REFERENCES person (patient_id),
    CONSTRAINT fk_item_owner_team FOREIGN KEY(owner_team) REFERENCES team (team_id)
);
CREATE INDEX ix_item_open_due ON item (due_at, item_id) WHERE status = 'open';
CREATE INDEX ix_item_patient_id ON item (patient_id, status);
CREATE INDEX ix_item_worklist ON item (owner_team, status, due_at, item_id);
CREATE UNIQUE INDEX uq_item_open_key ON item (patient_id, key) WHERE status = 'open';

CREATE TABLE message (
    message_id UUID NOT NULL,
    patient_id UUID NOT NULL,
    event_id UUID,
    linked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_message PRIMARY KEY (message_id),
    CONSTRAINT fk_message_patient_id FOREIGN KEY(patient_id) REFERENCES person (patient_id)
);
CREATE INDEX ix_message_patient_id ON message (patient_id);

CREATE TABLE pathway (
    patient_id UUID NOT NULL,
    status VARCHAR NOT NULL,
    guideline VARCHAR NOT NULL,
    opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
    closed_at TIMESTAMP WITH TIME ZONE,
    closed_reason VARCHAR DEFAULT '' NOT NULL,
    settled_at TIMESTAMP WITH TIME ZONE,
    filed_seq BIGINT NOT NULL,
    key_worker VARCHAR DEFAULT '' NOT NULL,
    CONSTRAINT pk_pathway PRIMARY KEY (patient_id),
    CONSTRAINT ck_pathway_status CHECK (status IN ('open', 'closed')),
    CONSTRAINT ck_pathway_closed CHECK (status = 'open' OR (closed_at IS NOT NULL AND closed_reason <> '')),
    CONSTRAINT fk_pathway_patient_id FOREIGN KEY(patient_id) REFERENCES person (patient_id)
);
CREATE INDEX ix_pathway_status ON pathway (status, patient_id);

CREATE TABLE appointment (
    appointment_id UUID NOT NULL,
    patient_id UUID NOT NULL,
    purpose VARCHAR NOT NULL,
    starts_at TIMESTAMP WITH TIME ZONE NOT NULL,
    place VARCHAR DEFAULT '' NOT NULL,
    status VARCHAR NOT NULL,
    item_id UUID,
    booked_by_event_id UUID NOT NULL,
    CONSTRAINT pk_appointment PRIMARY KEY (appointment_id),
    CONSTRAINT ck_appointment_status CHECK (status IN ('booked', 'cancelled', 'attended', 'missed')),
    CONSTRAINT fk_appointment_patient_id_item_id
        FOREIGN KEY(patient_id, item_id)
        REFERENCES item (patient_id, item_id),
    CONSTRAINT fk_appointment_patient_id FOREIGN KEY(patient_id) REFERENCES person (patient_id),
    CONSTRAINT fk_appointment_booked_by_event_id FOREIGN KEY(booked_by_event_id) REFERENCES event (event_id)
);
CREATE INDEX ix_appointment_patient_id ON appointment (patient_id, starts_at);

CREATE TABLE decision (
    decision_id UUID NOT NULL,
    event_id UUID NOT NULL,
    patient_id UUID NOT NULL,
    seq BIGINT NOT NULL,
    rule_id VARCHAR NOT NULL,
    number VARCHAR NOT NULL,
    occurrence VARCHAR DEFAULT '' NOT NULL,
    outcome VARCHAR NOT NULL,
    option VARCHAR DEFAULT '' NOT NULL,
    person_view VARCHAR DEFAULT '' NOT NULL,
    reason_code VARCHAR DEFAULT '' NOT NULL,
    reason VARCHAR DEFAULT '' NOT NULL,
    review_on DATE,
    basis VARCHAR DEFAULT '' NOT NULL,
    decided_at TIMESTAMP WITH TIME ZONE NOT NULL,
    evaluation_id UUID,
    departure BOOLEAN NOT NULL,
    actor_subject VARCHAR NOT NULL,
    actor_role VARCHAR NOT NULL,
    actor_team VARCHAR DEFAULT '' NOT NULL,
    actor_on_behalf_of VARCHAR DEFAULT '' NOT NULL,
    CONSTRAINT pk_decision PRIMARY KEY (decision_id),
    CONSTRAINT uq_decision_patient_id_decision_id UNIQUE (patient_id, decision_id),
    CONSTRAINT uq_decision_event_id UNIQUE (event_id),
    CONSTRAINT fk_decision_event_id FOREIGN KEY(event_id) REFERENCES event (event_id),
    CONSTRAINT fk_decision_patient_id FOREIGN KEY(patient_id) REFERENCES person (patient_id),
    CONSTRAINT fk_decision_evaluation_id FOREIGN KEY(evaluation_id) REFERENCES evaluation (evaluation_id)
);
CREATE INDEX ix_decision_patient_id_seq ON decision (patient_id, seq);

CREATE TABLE fact (
    fact_id UUID NOT NULL,
    patient_id UUID NOT NULL,
    event_id UUID NOT NULL,
    seq BIGINT NOT NULL,
    position INTEGER DEFAULT '0' NOT NULL,
    name VARCHAR NOT NULL,
    subject VARCHAR DEFAULT '' NOT NULL,
    value JSONB,
    occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    supersedes_fact_id UUID,
    entered_in_error BOOLEAN DEFAULT false NOT NULL,
    CONSTRAINT pk_fact PRIMARY KEY (fact_id),
    CONSTRAINT uq_fact_patient_id_fact_id UNIQUE (patient_id, fact_id),
    CONSTRAINT uq_fact_supersedes_fact_id UNIQUE (supersedes_fact_id),
    CONSTRAINT fk_fact_patient_id_supersedes_fact_id
        FOREIGN KEY(patient_id, supersedes_fact_id)
        REFERENCES fact (patient_id, fact_id),
    CONSTRAINT fk_fact_event_id FOREIGN KEY(event_id) REFERENCES event (event_id)
);
CREATE INDEX ix_fact_event_id ON fact (event_id);
CREATE INDEX ix_fact_patient_id_seq ON fact (patient_id, seq, position);

CREATE TABLE item_step (
    item_step_id UUID NOT NULL,
    item_id UUID NOT NULL,
    patient_id UUID NOT NULL,
    seq BIGINT NOT NULL,
    change VARCHAR NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE NOT NULL,
    reason VARCHAR DEFAULT '' NOT NULL,
    CONSTRAINT pk_item_step PRIMARY KEY (item_step_id),
    CONSTRAINT fk_item_step_patient_id_item_id
        FOREIGN KEY(patient_id, item_id)
        REFERENCES item (patient_id, item_id)
);
CREATE INDEX ix_item_step_item_id ON item_step (item_id, at);

CREATE TABLE message_item (
    message_id UUID NOT NULL,
    item_id UUID NOT NULL,
    patient_id UUID NOT NULL,
    CONSTRAINT pk_message_item PRIMARY KEY (message_id, item_id),
    CONSTRAINT fk_message_item_patient_id_item_id
        FOREIGN KEY(patient_id, item_id)
        REFERENCES item (patient_id, item_id),
    CONSTRAINT fk_message_item_message_id FOREIGN KEY(message_id) REFERENCES message (message_id)
);
CREATE INDEX ix_message_item_item_id ON message_item (item_id);

CREATE TABLE referral (
    referral_id UUID NOT NULL,
    patient_id UUID NOT NULL,
    event_id UUID NOT NULL,
    from_team VARCHAR NOT NULL,
    to_team VARCHAR NOT NULL,
    urgency VARCHAR NOT NULL,
    reason VARCHAR NOT NULL,
    numbers VARCHAR[] NOT NULL,
    status VARCHAR NOT NULL,
    responsible_team VARCHAR NOT NULL,
    clinically_responsible_team VARCHAR NOT NULL,
    next_due_at TIMESTAMP WITH TIME ZONE,
    drafted_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_referral PRIMARY KEY (referral_id),
    CONSTRAINT ck_referral_status
        CHECK (status IN ('draft', 'agreed', 'sent', 'delivered', 'undelivered',
        'acknowledged', 'information_asked', 'accepted', 'declined', 'first_contact', 'closed')),
    CONSTRAINT fk_referral_patient_id FOREIGN KEY(patient_id) REFERENCES person (patient_id),
    CONSTRAINT fk_referral_event_id FOREIGN KEY(event_id) REFERENCES event (event_id),
    CONSTRAINT fk_referral_from_team FOREIGN KEY(from_team) REFERENCES team (team_id),
    CONSTRAINT fk_referral_to_team FOREIGN KEY(to_team) REFERENCES team (team_id),
    CONSTRAINT fk_referral_responsible_team FOREIGN KEY(responsible_team) REFERENCES team (team_id),
    CONSTRAINT fk_referral_clinically_responsible_team
        FOREIGN KEY(clinically_responsible_team)
        REFERENCES team (team_id)
);
CREATE INDEX ix_referral_patient_id ON referral (patient_id);
CREATE INDEX ix_referral_responsible_team ON referral (responsible_team, drafted_at);
CREATE INDEX ix_referral_to_team ON referral (to_team, drafted_at);

CREATE TABLE decision_fact (
    decision_id UUID NOT NULL,
    fact_id UUID NOT NULL,
    patient_id UUID NOT NULL,
    CONSTRAINT pk_decision_fact PRIMARY KEY (decision_id, fact_id),
    CONSTRAINT fk_decision_fact_patient_id_decision_id
        FOREIGN KEY(patient_id, decision_id)
        REFERENCES decision (patient_id, decision_id),
    CONSTRAINT fk_decision_fact_patient_id_fact_id
        FOREIGN KEY(patient_id, fact_id)
        REFERENCES fact (patient_id, fact_id)
);
CREATE INDEX ix_decision_fact_fact_id ON decision_fact (fact_id);

CREATE TABLE item_fact (
    item_id UUID NOT NULL,
    fact_id UUID NOT NULL,
    patient_id UUID NOT NULL,
    CONSTRAINT pk_item_fact PRIMARY KEY (item_id, fact_id),
    CONSTRAINT fk_item_fact_patient_id_item_id
        FOREIGN KEY(patient_id, item_id)
        REFERENCES item (patient_id, item_id),
    CONSTRAINT fk_item_fact_patient_id_fact_id
        FOREIGN KEY(patient_id, fact_id)
        REFERENCES fact (patient_id, fact_id)
);
CREATE INDEX ix_item_fact_fact_id ON item_fact (fact_id);

CREATE TABLE message_fact (
    message_id UUID NOT NULL,
    fact_id UUID NOT NULL,
    patient_id UUID NOT NULL,
    CONSTRAINT pk_message_fact PRIMARY KEY (message_id, fact_id),
    CONSTRAINT fk_message_fact_patient_id_fact_id
        FOREIGN KEY(patient_id, fact_id)
        REFERENCES fact (patient_id, fact_id),
    CONSTRAINT fk_message_fact_message_id FOREIGN KEY(message_id) REFERENCES message (message_id)
);
CREATE INDEX ix_message_fact_fact_id ON message_fact (fact_id);

CREATE TABLE referral_step (
    referral_step_id UUID NOT NULL,
    referral_id UUID NOT NULL,
    patient_id UUID NOT NULL,
    position INTEGER NOT NULL,
    status VARCHAR NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    responsible_team VARCHAR NOT NULL,
    note VARCHAR DEFAULT '' NOT NULL,
    event_id UUID NOT NULL,
    actor_subject VARCHAR NOT NULL,
    actor_role VARCHAR NOT NULL,
    actor_team VARCHAR DEFAULT '' NOT NULL,
    actor_on_behalf_of VARCHAR DEFAULT '' NOT NULL,
    CONSTRAINT pk_referral_step PRIMARY KEY (referral_step_id),
    CONSTRAINT uq_referral_step_referral_id_event_id UNIQUE (referral_id, event_id),
    CONSTRAINT uq_referral_step_referral_id_position UNIQUE (referral_id, position),
    CONSTRAINT fk_referral_step_referral_id FOREIGN KEY(referral_id) REFERENCES referral (referral_id),
    CONSTRAINT fk_referral_step_patient_id FOREIGN KEY(patient_id) REFERENCES person (patient_id),
    CONSTRAINT fk_referral_step_responsible_team FOREIGN KEY(responsible_team) REFERENCES team (team_id)
);

CREATE TABLE therapy_line (
    line_id UUID NOT NULL,
    patient_id UUID NOT NULL,
    event_id UUID NOT NULL,
    decision_id UUID NOT NULL,
    course JSONB NOT NULL,
    intent VARCHAR DEFAULT '' NOT NULL,
    response_check_weeks INTEGER DEFAULT '0' NOT NULL,
    status VARCHAR NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_therapy_line PRIMARY KEY (line_id),
    CONSTRAINT ck_therapy_line_status CHECK (status IN ('ongoing', 'ended')),
    CONSTRAINT fk_therapy_line_patient_id_decision_id
        FOREIGN KEY(patient_id, decision_id)
        REFERENCES decision (patient_id, decision_id),
    CONSTRAINT fk_therapy_line_patient_id FOREIGN KEY(patient_id) REFERENCES person (patient_id),
    CONSTRAINT fk_therapy_line_event_id FOREIGN KEY(event_id) REFERENCES event (event_id)
);
CREATE INDEX ix_therapy_line_patient_id ON therapy_line (patient_id, started_at);
"""


def upgrade() -> None:
    """Make the tables and grant them."""
    for statement in TABLES.split(";\n"):
        if statement.strip():
            op.execute(statement.strip().rstrip(";"))
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON {', '.join(STANDS)} TO {RUNTIME_ROLE}")
    op.execute(f"GRANT SELECT, INSERT ON {', '.join(APPENDED)} TO {RUNTIME_ROLE}")
    op.execute(f"GRANT SELECT ON alembic_version TO {RUNTIME_ROLE}")


def downgrade() -> None:
    """Refuse: a record is not unmade by a migration."""
    message = "the first migration is not undone; restore a backup instead"
    raise RuntimeError(message)
