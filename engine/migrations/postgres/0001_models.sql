-- All models of the engine. Times are milliseconds since 1970 and ids are UUIDs that the engine makes, so that nothing here
-- depends on a clock or a time zone; the same columns, names and rules as in the schema for SQLite. What the rules allow is
-- checked here once more, for everybody who writes: the CHECK of statuses follows from the table in `rules/status.rs`, and a
-- test compares them.

CREATE TABLE tenants (
    id            BIGINT PRIMARY KEY,
    name          TEXT   NOT NULL UNIQUE CHECK (char_length(name) BETWEEN 1 AND 50),
    created_date  BIGINT NOT NULL,
    modified_date BIGINT NOT NULL
);

CREATE TABLE users (
    tenant_id     BIGINT NOT NULL REFERENCES tenants (id),
    id            UUID   NOT NULL,
    username      TEXT   NOT NULL CHECK (char_length(username) BETWEEN 1 AND 150),
    email         TEXT   NOT NULL CHECK (char_length(email) <= 254),
    first_name    TEXT   NOT NULL CHECK (char_length(first_name) <= 150),
    last_name     TEXT   NOT NULL CHECK (char_length(last_name) <= 150),
    time_zone     TEXT   NOT NULL CHECK (char_length(time_zone) <= 64),
    locale        TEXT   NOT NULL CHECK (char_length(locale) <= 35),
    -- `json` rather than `jsonb`, here and below: what is kept is given back letter by letter.
    attributes    JSON   NOT NULL CHECK (
        json_typeof(attributes) = 'object' AND octet_length(attributes::text) <= 65536
    ),
    created_date  BIGINT NOT NULL,
    modified_date BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, username)
);

CREATE TABLE targets (
    tenant_id                BIGINT NOT NULL REFERENCES tenants (id),
    id                       UUID   NOT NULL,
    name                     TEXT   NOT NULL CHECK (char_length(name) BETWEEN 1 AND 15),
    notification_module_name TEXT   NOT NULL CHECK (notification_module_name ~ '^[a-z][a-z0-9_]{0,49}$'),
    pause_kind               TEXT   CHECK (pause_kind IN ('component', 'configuration', 'operator')),
    pause_reason             TEXT   CHECK (octet_length(pause_reason) <= 1000),
    paused_since             BIGINT CHECK (paused_since BETWEEN 0 AND 253370764799999),
    slowed_until             BIGINT CHECK (slowed_until BETWEEN 0 AND 253370764799999),
    created_date             BIGINT NOT NULL,
    modified_date            BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, name),
    CHECK ((pause_kind IS NULL) = (pause_reason IS NULL) AND (pause_kind IS NULL) = (paused_since IS NULL))
);

-- Where a user is reached in a target. A user takes their records with them; a target that is in use cannot go.
CREATE TABLE target_user_records (
    tenant_id       BIGINT  NOT NULL,
    id              UUID    NOT NULL,
    user_id         UUID    NOT NULL,
    target_id       UUID    NOT NULL,
    target_user_id  TEXT    NOT NULL CHECK (char_length(target_user_id) BETWEEN 1 AND 200),
    description     TEXT    NOT NULL CHECK (char_length(description) <= 200),
    active          BOOLEAN NOT NULL,
    inactive_reason TEXT    CHECK (octet_length(inactive_reason) <= 1000),
    created_date    BIGINT  NOT NULL,
    modified_date   BIGINT  NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, user_id, target_id, target_user_id),
    -- What notifications point at, so that their target is that of their record.
    UNIQUE (tenant_id, id, target_id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, target_id) REFERENCES targets (tenant_id, id),
    CHECK (NOT active OR inactive_reason IS NULL)
);

CREATE INDEX target_user_records_by_target ON target_user_records (tenant_id, target_id);

-- One row per user. An inactive row says that the user opted in again.
CREATE TABLE opt_outs (
    tenant_id     BIGINT  NOT NULL,
    user_id       UUID    NOT NULL,
    active        BOOLEAN NOT NULL,
    created_date  BIGINT  NOT NULL,
    modified_date BIGINT  NOT NULL,
    PRIMARY KEY (tenant_id, user_id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id) ON DELETE CASCADE
);

-- Where each notification stands. What it says is in the next table: this one is rewritten at every claim and
-- settlement and stays narrow. Room is left in its pages for the rows as they will be after their claim, and it is
-- cleaned up early, since most of its rows change twice within moments.
CREATE TABLE notifications (
    tenant_id             BIGINT  NOT NULL,
    id                    UUID    NOT NULL,
    target_user_record_id UUID    NOT NULL,
    target_id             UUID    NOT NULL,
    status                TEXT    NOT NULL,
    scheduled_delivery    BIGINT  NOT NULL CHECK (scheduled_delivery BETWEEN 0 AND 253370764799999),
    attempted_delivery    BIGINT  CHECK (attempted_delivery BETWEEN 0 AND 253370764799999),
    retry_time_interval   INTEGER NOT NULL CHECK (retry_time_interval BETWEEN 0 AND 31536000),
    retry_attempts        INTEGER NOT NULL CHECK (retry_attempts BETWEEN 0 AND max_retries + 1),
    max_retries           INTEGER NOT NULL CHECK (max_retries BETWEEN 0 AND 1000),
    expires_at            BIGINT  CHECK (expires_at BETWEEN 0 AND 253370764799999),
    idempotency_key       TEXT    CHECK (char_length(idempotency_key) BETWEEN 1 AND 200),
    on_unknown            TEXT    CHECK (on_unknown IN ('resend', 'hold')),
    -- How many rows `attempts` has for it.
    attempts              INTEGER NOT NULL CHECK (attempts >= 0),
    -- The claim: which engine holds it, since when, until when at the latest. The fence grows with each claim and is
    -- never reset: whoever writes an outcome back must show the number that the claim was given.
    claimed_by            UUID,
    claimed_at            BIGINT,
    lease_until           BIGINT,
    fence                 BIGINT  NOT NULL CHECK (fence >= 0),
    -- How many engines died while they held it.
    lease_deaths          INTEGER NOT NULL CHECK (lease_deaths >= 0),
    created_date          BIGINT  NOT NULL,
    modified_date         BIGINT  NOT NULL,
    -- The id first: batches are found by it, and no index that begins with the tenant may seem to be as good, whatever
    -- the planner believes of the table.
    PRIMARY KEY (id, tenant_id),
    FOREIGN KEY (tenant_id, target_user_record_id, target_id)
        REFERENCES target_user_records (tenant_id, id, target_id) ON DELETE CASCADE,
    -- The table of statuses.
    CHECK (CASE status
        WHEN 'SCHEDULED' THEN attempted_delivery IS NULL
        WHEN 'RETRY' THEN attempted_delivery IS NOT NULL
        WHEN 'SENT' THEN attempted_delivery IS NOT NULL
        WHEN 'UNKNOWN' THEN attempted_delivery IS NOT NULL
        WHEN 'DELIVERED' THEN attempted_delivery IS NOT NULL
        WHEN 'DELIVERY FAILURE' THEN attempted_delivery IS NOT NULL
        WHEN 'INACTIVE DEVICE' THEN true
        WHEN 'OPTED OUT' THEN true
        WHEN 'EXPIRED' THEN true
        WHEN 'CANCELED' THEN true
        ELSE false
    END),
    CHECK (claimed_by IS NULL OR status IN ('SCHEDULED', 'RETRY')),
    CHECK ((claimed_by IS NULL) = (claimed_at IS NULL) AND (claimed_by IS NULL) = (lease_until IS NULL))
) WITH (
    fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0
);

-- What can be claimed, in the order in which it is due: nothing else, so that what is done or far away costs nothing.
-- It begins with the target, because a paused target may have a long queue that is to be passed over and not walked
-- through.
CREATE INDEX notifications_due ON notifications (tenant_id, target_id, scheduled_delivery)
    WHERE claimed_by IS NULL AND status IN ('SCHEDULED', 'RETRY');
-- What is claimed, for rescue.
CREATE INDEX notifications_claimed ON notifications (claimed_by) WHERE claimed_by IS NOT NULL;
CREATE INDEX notifications_by_record ON notifications (tenant_id, target_user_record_id);
CREATE UNIQUE INDEX notifications_by_idempotency_key ON notifications (tenant_id, idempotency_key)
    WHERE idempotency_key IS NOT NULL;

-- What a notification says; written once.
CREATE TABLE notification_texts (
    tenant_id       BIGINT NOT NULL,
    notification_id UUID   NOT NULL,
    title           TEXT   NOT NULL CHECK (char_length(title) <= 100),
    body            TEXT   NOT NULL CHECK (octet_length(body) <= 1048576),
    extra           JSON   NOT NULL CHECK (json_typeof(extra) = 'object' AND octet_length(extra::text) <= 262144),
    PRIMARY KEY (tenant_id, notification_id),
    FOREIGN KEY (tenant_id, notification_id) REFERENCES notifications (tenant_id, id) ON DELETE CASCADE
);

-- The history: one row for each try, never changed, gone only together with its notification. Its texts are cut to
-- their limits in bytes before they come here; counting characters, which is never stricter, costs a fraction.
CREATE TABLE attempts (
    tenant_id        BIGINT  NOT NULL,
    notification_id  UUID    NOT NULL,
    number           INTEGER NOT NULL CHECK (number >= 1),
    started_at       BIGINT  NOT NULL,
    finished_at      BIGINT  NOT NULL,
    outcome          TEXT    NOT NULL CHECK (
        outcome IN ('delivered', 'accepted', 'retry', 'failed', 'inactive_device', 'opted_out', 'unknown')
    ),
    code             TEXT    NOT NULL CHECK (char_length(code) <= 100),
    message          TEXT    NOT NULL CHECK (char_length(message) <= 4096),
    provider_id      TEXT    NOT NULL CHECK (char_length(provider_id) <= 300),
    phase            TEXT    CHECK (
        phase IN ('invalid', 'denied', 'resolve', 'connect', 'tls', 'write', 'wait', 'read')
    ),
    log              TEXT    NOT NULL CHECK (char_length(log) <= 65536),
    component_digest TEXT    CHECK (char_length(component_digest) BETWEEN 1 AND 80),
    engine_id        UUID    NOT NULL,
    PRIMARY KEY (tenant_id, notification_id, number),
    FOREIGN KEY (tenant_id, notification_id) REFERENCES notifications (tenant_id, id) ON DELETE CASCADE
);

-- One row for each engine that runs; the only table besides that of the tenants which belongs to no tenant.
CREATE TABLE engines (
    id           UUID   PRIMARY KEY,
    started_at   BIGINT NOT NULL,
    heartbeat_at BIGINT NOT NULL
);

-- What a tenant grants to the component of a target: an HTTP origin, mail, a folder, the use of a secret.
CREATE TABLE grants (
    tenant_id    BIGINT NOT NULL,
    target_id    UUID   NOT NULL,
    capability   TEXT   NOT NULL CHECK (capability IN ('http', 'smtp', 'folder', 'secret')),
    -- The origin, the sender, the folder, the name of the secret; empty where the capability alone says it.
    scope        TEXT   NOT NULL CHECK (char_length(scope) <= 500),
    created_date BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, target_id, capability, scope),
    FOREIGN KEY (tenant_id, target_id) REFERENCES targets (tenant_id, id) ON DELETE CASCADE
);

-- Values that components can name and never read: of the tenant, of a target, or of one record. Only ever stored
-- encrypted.
CREATE TABLE secrets (
    tenant_id             BIGINT NOT NULL REFERENCES tenants (id),
    id                    UUID   NOT NULL,
    target_id             UUID,
    target_user_record_id UUID,
    name                  TEXT   NOT NULL CHECK (char_length(name) BETWEEN 1 AND 100),
    -- Which key encrypted it, so that keys can be changed one secret at a time.
    key_id                TEXT   NOT NULL CHECK (char_length(key_id) BETWEEN 1 AND 100),
    ciphertext            BYTEA  NOT NULL CHECK (octet_length(ciphertext) <= 65536),
    created_date          BIGINT NOT NULL,
    modified_date         BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, target_id) REFERENCES targets (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, target_user_record_id) REFERENCES target_user_records (tenant_id, id) ON DELETE CASCADE,
    CHECK (target_id IS NULL OR target_user_record_id IS NULL)
);

CREATE UNIQUE INDEX secrets_by_owner ON secrets (tenant_id, target_id, target_user_record_id, name) NULLS NOT DISTINCT;
CREATE INDEX secrets_by_target ON secrets (tenant_id, target_id) WHERE target_id IS NOT NULL;
CREATE INDEX secrets_by_record ON secrets (tenant_id, target_user_record_id) WHERE target_user_record_id IS NOT NULL;

-- The origins towards which a secret may be sent.
CREATE TABLE secret_origins (
    tenant_id BIGINT NOT NULL,
    secret_id UUID   NOT NULL,
    origin    TEXT   NOT NULL CHECK (char_length(origin) BETWEEN 1 AND 500),
    PRIMARY KEY (tenant_id, secret_id, origin),
    FOREIGN KEY (tenant_id, secret_id) REFERENCES secrets (tenant_id, id) ON DELETE CASCADE
);

-- Nothing new for a user who opted out, on whatever path it comes. An opt-out and a creation that meet wait for each
-- other at the user's row, so that one of them sees the other: `opt_outs_wait` takes it alone, creations share it.
CREATE FUNCTION notifications_respect_opt_outs() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    opted_out BOOLEAN;
BEGIN
    PERFORM 1
    FROM target_user_records AS record
    JOIN users ON users.tenant_id = record.tenant_id AND users.id = record.user_id
    WHERE record.tenant_id = NEW.tenant_id AND record.id = NEW.target_user_record_id
    FOR SHARE OF users;
    SELECT opt_outs.active INTO opted_out
    FROM target_user_records AS record
    JOIN opt_outs ON opt_outs.tenant_id = record.tenant_id AND opt_outs.user_id = record.user_id
    WHERE record.tenant_id = NEW.tenant_id AND record.id = NEW.target_user_record_id;
    IF opted_out THEN
        RAISE EXCEPTION 'opted_out';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER notifications_respect_opt_outs BEFORE INSERT ON notifications
    FOR EACH ROW EXECUTE FUNCTION notifications_respect_opt_outs();

CREATE FUNCTION opt_outs_wait() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM users WHERE tenant_id = NEW.tenant_id AND id = NEW.user_id FOR UPDATE;
    RETURN NEW;
END
$$;
CREATE TRIGGER opt_outs_wait BEFORE INSERT OR UPDATE ON opt_outs
    FOR EACH ROW EXECUTE FUNCTION opt_outs_wait();

CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%', TG_ARGV[0];
END
$$;

CREATE TRIGGER notifications_fence_only_grows BEFORE UPDATE OF fence ON notifications
    FOR EACH ROW WHEN (NEW.fence < OLD.fence) EXECUTE FUNCTION refuse('fence_only_grows');

-- An engine is at work on it; its record and its user stay for as long as that takes.
CREATE TRIGGER notifications_claimed_stay BEFORE DELETE ON notifications
    FOR EACH ROW WHEN (OLD.claimed_by IS NOT NULL) EXECUTE FUNCTION refuse('claimed');

CREATE TRIGGER attempts_are_never_changed BEFORE UPDATE ON attempts
    FOR EACH ROW EXECUTE FUNCTION refuse('append_only');

-- When a notification goes, its own row is gone before those of its attempts.
CREATE FUNCTION attempts_are_never_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM notifications WHERE tenant_id = OLD.tenant_id AND id = OLD.notification_id) THEN
        RAISE EXCEPTION 'append_only';
    END IF;
    RETURN OLD;
END
$$;
CREATE TRIGGER attempts_are_never_removed BEFORE DELETE ON attempts
    FOR EACH ROW EXECUTE FUNCTION attempts_are_never_removed();

-- The tenant that every engine has, and the target whose component is built in.
INSERT INTO tenants (id, name, created_date, modified_date)
SELECT 1, 'default', now, now FROM (SELECT (extract(epoch FROM now()) * 1000)::bigint AS now) AS clock;
INSERT INTO targets (tenant_id, id, name, notification_module_name, created_date, modified_date)
SELECT id, '00000000-0000-7000-8000-000000000001', 'Email', 'email', created_date, modified_date FROM tenants;
