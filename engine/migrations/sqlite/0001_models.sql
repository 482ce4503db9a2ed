-- The models: tenants, users, targets, target user records, opt-outs, notifications, attempts, engines, grants,
-- secrets.
--
-- The database refuses what cannot be, whoever writes: each limit of the models is a CHECK here, and so is the table of
-- statuses. The tenant is in every key and every foreign key, so that no row can point into another tenant. Ids are
-- UUIDs of 16 bytes, times are milliseconds since 1970 in UTC. The numbers repeat constants of `src/rules/`; a test
-- compares them. Functions are kept to those that older SQLite tools know too, so that people can look into the file,
-- and write into it, with what their system has.

CREATE TABLE tenants (
    id            INTEGER PRIMARY KEY,
    name          TEXT    NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 50),
    created_date  INTEGER NOT NULL,
    modified_date INTEGER NOT NULL
) STRICT;

CREATE TABLE users (
    tenant_id     INTEGER NOT NULL REFERENCES tenants (id),
    id            BLOB    NOT NULL CHECK (length(id) = 16),
    username      TEXT    NOT NULL CHECK (length(username) BETWEEN 1 AND 150),
    email         TEXT    NOT NULL CHECK (length(email) <= 254),
    first_name    TEXT    NOT NULL CHECK (length(first_name) <= 150),
    last_name     TEXT    NOT NULL CHECK (length(last_name) <= 150),
    time_zone     TEXT    NOT NULL CHECK (length(time_zone) <= 64),
    locale        TEXT    NOT NULL CHECK (length(locale) <= 35),
    attributes    TEXT    NOT NULL CHECK (
        json_valid(attributes) AND json_type(attributes) = 'object' AND length(CAST(attributes AS BLOB)) <= 65536
    ),
    created_date  INTEGER NOT NULL,
    modified_date INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, username)
) STRICT;

CREATE TABLE targets (
    tenant_id                INTEGER NOT NULL REFERENCES tenants (id),
    id                       BLOB    NOT NULL CHECK (length(id) = 16),
    name                     TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 15),
    notification_module_name TEXT    NOT NULL CHECK (
        length(notification_module_name) BETWEEN 1 AND 50
        AND notification_module_name GLOB '[a-z]*' AND notification_module_name NOT GLOB '*[^a-z0-9_]*'
    ),
    pause_kind               TEXT    CHECK (pause_kind IN ('component', 'configuration', 'operator')),
    pause_reason             TEXT    CHECK (length(CAST(pause_reason AS BLOB)) <= 1000),
    paused_since             INTEGER CHECK (paused_since BETWEEN 0 AND 253370764799999),
    slowed_until             INTEGER CHECK (slowed_until BETWEEN 0 AND 253370764799999),
    created_date             INTEGER NOT NULL,
    modified_date            INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, name),
    CHECK ((pause_kind IS NULL) = (pause_reason IS NULL) AND (pause_kind IS NULL) = (paused_since IS NULL))
) STRICT;

-- Where a user is reached in a target. A user takes their records with them; a target that is in use cannot go.
CREATE TABLE target_user_records (
    tenant_id       INTEGER NOT NULL,
    id              BLOB    NOT NULL CHECK (length(id) = 16),
    user_id         BLOB    NOT NULL,
    target_id       BLOB    NOT NULL,
    target_user_id  TEXT    NOT NULL CHECK (length(target_user_id) BETWEEN 1 AND 200),
    description     TEXT    NOT NULL CHECK (length(description) <= 200),
    active          INTEGER NOT NULL CHECK (active IN (0, 1)),
    inactive_reason TEXT    CHECK (length(CAST(inactive_reason AS BLOB)) <= 1000),
    created_date    INTEGER NOT NULL,
    modified_date   INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, user_id, target_id, target_user_id),
    -- What notifications point at, so that their target is that of their record.
    UNIQUE (tenant_id, id, target_id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, target_id) REFERENCES targets (tenant_id, id),
    CHECK (active = 0 OR inactive_reason IS NULL)
) STRICT;

CREATE INDEX target_user_records_by_target ON target_user_records (tenant_id, target_id);

-- One row per user. An inactive row says that the user opted in again.
CREATE TABLE opt_outs (
    tenant_id     INTEGER NOT NULL,
    user_id       BLOB    NOT NULL,
    active        INTEGER NOT NULL CHECK (active IN (0, 1)),
    created_date  INTEGER NOT NULL,
    modified_date INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, user_id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id) ON DELETE CASCADE
) STRICT;

-- Where each notification stands. What it says is in the next table: this one is rewritten at every claim and
-- settlement and stays narrow.
CREATE TABLE notifications (
    tenant_id             INTEGER NOT NULL,
    id                    BLOB    NOT NULL CHECK (length(id) = 16),
    target_user_record_id BLOB    NOT NULL,
    target_id             BLOB    NOT NULL,
    status                TEXT    NOT NULL,
    scheduled_delivery    INTEGER NOT NULL CHECK (scheduled_delivery BETWEEN 0 AND 253370764799999),
    attempted_delivery    INTEGER CHECK (attempted_delivery BETWEEN 0 AND 253370764799999),
    retry_time_interval   INTEGER NOT NULL CHECK (retry_time_interval BETWEEN 0 AND 31536000),
    retry_attempts        INTEGER NOT NULL CHECK (retry_attempts BETWEEN 0 AND max_retries + 1),
    max_retries           INTEGER NOT NULL CHECK (max_retries BETWEEN 0 AND 1000),
    expires_at            INTEGER CHECK (expires_at BETWEEN 0 AND 253370764799999),
    idempotency_key       TEXT    CHECK (length(idempotency_key) BETWEEN 1 AND 200),
    on_unknown            TEXT    CHECK (on_unknown IN ('resend', 'hold')),
    -- How many rows `attempts` has for it.
    attempts              INTEGER NOT NULL CHECK (attempts >= 0),
    -- The claim: which engine holds it, since when, until when at the latest. The fence grows with each claim and is
    -- never reset: whoever writes an outcome back must show the number that the claim was given.
    claimed_by            BLOB    CHECK (length(claimed_by) = 16),
    claimed_at            INTEGER,
    lease_until           INTEGER,
    fence                 INTEGER NOT NULL CHECK (fence >= 0),
    -- How many engines died while they held it.
    lease_deaths          INTEGER NOT NULL CHECK (lease_deaths >= 0),
    created_date          INTEGER NOT NULL,
    modified_date         INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id),
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
        WHEN 'INACTIVE DEVICE' THEN 1
        WHEN 'OPTED OUT' THEN 1
        WHEN 'EXPIRED' THEN 1
        WHEN 'CANCELED' THEN 1
        ELSE 0
    END),
    CHECK (claimed_by IS NULL OR status IN ('SCHEDULED', 'RETRY')),
    CHECK ((claimed_by IS NULL) = (claimed_at IS NULL) AND (claimed_by IS NULL) = (lease_until IS NULL))
) STRICT;

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
    tenant_id       INTEGER NOT NULL,
    notification_id BLOB    NOT NULL,
    title           TEXT    NOT NULL CHECK (length(title) <= 100),
    body            TEXT    NOT NULL CHECK (length(CAST(body AS BLOB)) <= 1048576),
    extra           TEXT    NOT NULL CHECK (
        json_valid(extra) AND json_type(extra) = 'object' AND length(CAST(extra AS BLOB)) <= 262144
    ),
    PRIMARY KEY (tenant_id, notification_id),
    FOREIGN KEY (tenant_id, notification_id) REFERENCES notifications (tenant_id, id) ON DELETE CASCADE
) STRICT;

-- The history: one row for each try, never changed, gone only together with its notification. Its texts are cut to
-- their limits in bytes before they come here; counting characters, which is never stricter, costs a fraction.
CREATE TABLE attempts (
    tenant_id        INTEGER NOT NULL,
    notification_id  BLOB    NOT NULL,
    number           INTEGER NOT NULL CHECK (number >= 1),
    started_at       INTEGER NOT NULL,
    finished_at      INTEGER NOT NULL,
    outcome          TEXT    NOT NULL CHECK (
        outcome IN ('delivered', 'accepted', 'retry', 'failed', 'inactive_device', 'opted_out', 'unknown')
    ),
    code             TEXT    NOT NULL CHECK (length(code) <= 100),
    message          TEXT    NOT NULL CHECK (length(message) <= 4096),
    provider_id      TEXT    NOT NULL CHECK (length(provider_id) <= 300),
    phase            TEXT    CHECK (
        phase IN ('invalid', 'denied', 'resolve', 'connect', 'tls', 'write', 'wait', 'read')
    ),
    log              TEXT    NOT NULL CHECK (length(log) <= 65536),
    component_digest TEXT    CHECK (length(component_digest) BETWEEN 1 AND 80),
    engine_id        BLOB    NOT NULL CHECK (length(engine_id) = 16),
    PRIMARY KEY (tenant_id, notification_id, number),
    FOREIGN KEY (tenant_id, notification_id) REFERENCES notifications (tenant_id, id) ON DELETE CASCADE
) STRICT;

-- One row for each engine that runs; the only table besides that of the tenants which belongs to no tenant.
CREATE TABLE engines (
    id           BLOB    PRIMARY KEY NOT NULL CHECK (length(id) = 16),
    started_at   INTEGER NOT NULL,
    heartbeat_at INTEGER NOT NULL
) STRICT;

-- What a tenant grants to the component of a target: an HTTP origin, mail, a folder, the use of a secret.
CREATE TABLE grants (
    tenant_id    INTEGER NOT NULL,
    target_id    BLOB    NOT NULL,
    capability   TEXT    NOT NULL CHECK (capability IN ('http', 'smtp', 'folder', 'secret')),
    -- The origin, the sender, the folder, the name of the secret; empty where the capability alone says it.
    scope        TEXT    NOT NULL CHECK (length(scope) <= 500),
    created_date INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, target_id, capability, scope),
    FOREIGN KEY (tenant_id, target_id) REFERENCES targets (tenant_id, id) ON DELETE CASCADE
) STRICT;

-- Values that components can name and never read: of the tenant, of a target, or of one record. Only ever stored
-- encrypted.
CREATE TABLE secrets (
    tenant_id             INTEGER NOT NULL REFERENCES tenants (id),
    id                    BLOB    NOT NULL CHECK (length(id) = 16),
    target_id             BLOB,
    target_user_record_id BLOB,
    name                  TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    -- Which key encrypted it, so that keys can be changed one secret at a time.
    key_id                TEXT    NOT NULL CHECK (length(key_id) BETWEEN 1 AND 100),
    ciphertext            BLOB    NOT NULL CHECK (length(ciphertext) <= 65536),
    created_date          INTEGER NOT NULL,
    modified_date         INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, target_id) REFERENCES targets (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, target_user_record_id) REFERENCES target_user_records (tenant_id, id) ON DELETE CASCADE,
    CHECK (target_id IS NULL OR target_user_record_id IS NULL)
) STRICT;

CREATE UNIQUE INDEX secrets_by_owner
    ON secrets (tenant_id, ifnull(target_id, x''), ifnull(target_user_record_id, x''), name);
CREATE INDEX secrets_by_target ON secrets (tenant_id, target_id) WHERE target_id IS NOT NULL;
CREATE INDEX secrets_by_record ON secrets (tenant_id, target_user_record_id) WHERE target_user_record_id IS NOT NULL;

-- The origins towards which a secret may be sent.
CREATE TABLE secret_origins (
    tenant_id INTEGER NOT NULL,
    secret_id BLOB    NOT NULL,
    origin    TEXT    NOT NULL CHECK (length(origin) BETWEEN 1 AND 500),
    PRIMARY KEY (tenant_id, secret_id, origin),
    FOREIGN KEY (tenant_id, secret_id) REFERENCES secrets (tenant_id, id) ON DELETE CASCADE
) STRICT;

-- Nothing new for a user who opted out, on whatever path it comes.
CREATE TRIGGER notifications_respect_opt_outs BEFORE INSERT ON notifications
WHEN EXISTS (
    SELECT 1
    FROM target_user_records AS record
    JOIN opt_outs ON opt_outs.tenant_id = record.tenant_id AND opt_outs.user_id = record.user_id
    WHERE record.tenant_id = NEW.tenant_id AND record.id = NEW.target_user_record_id AND opt_outs.active = 1
)
BEGIN
    SELECT RAISE(ABORT, 'opted_out');
END;

CREATE TRIGGER notifications_fence_only_grows BEFORE UPDATE OF fence ON notifications
WHEN NEW.fence < OLD.fence
BEGIN
    SELECT RAISE(ABORT, 'fence_only_grows');
END;

-- An engine is at work on it; its record and its user stay for as long as that takes.
CREATE TRIGGER notifications_claimed_stay BEFORE DELETE ON notifications
WHEN OLD.claimed_by IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'claimed');
END;

CREATE TRIGGER attempts_are_never_changed BEFORE UPDATE ON attempts
BEGIN
    SELECT RAISE(ABORT, 'append_only');
END;

-- When a notification goes, its own row is gone before those of its attempts.
CREATE TRIGGER attempts_are_never_removed BEFORE DELETE ON attempts
WHEN EXISTS (SELECT 1 FROM notifications WHERE tenant_id = OLD.tenant_id AND id = OLD.notification_id)
BEGIN
    SELECT RAISE(ABORT, 'append_only');
END;

-- The tenant that every engine has, and the target whose component is built in.
INSERT INTO tenants (id, name, created_date, modified_date)
VALUES (1, 'default', unixepoch() * 1000, unixepoch() * 1000);
INSERT INTO targets (tenant_id, id, name, notification_module_name, created_date, modified_date)
SELECT id, x'00000000000070008000000000000001', 'Email', 'email', created_date, modified_date FROM tenants;
