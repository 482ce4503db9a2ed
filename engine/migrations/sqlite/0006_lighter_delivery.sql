-- A claim changes nothing that is in an index: where nothing is claimed for long, to pass over what is claimed costs less than to take it out
-- of an index and put it into another. Claims that were lost are looked for among what waits.
DROP INDEX notifications_claimed;
DROP INDEX notifications_due;
CREATE INDEX notifications_due ON notifications (tenant_id, target_id, scheduled_delivery)
    WHERE status IN ('SCHEDULED', 'RETRY');

-- The history and the texts are found by their keys alone: a table that is its own key takes one tree instead of two, for each row that is
-- written and read.
CREATE TABLE lighter_notification_texts (
    tenant_id       INTEGER NOT NULL,
    notification_id BLOB    NOT NULL,
    title           TEXT    NOT NULL CHECK (length(title) <= 100),
    body            TEXT    NOT NULL CHECK (length(CAST(body AS BLOB)) <= 1048576),
    extra           TEXT    NOT NULL CHECK (
        json_valid(extra) AND json_type(extra) = 'object' AND length(CAST(extra AS BLOB)) <= 262144
    ),
    PRIMARY KEY (tenant_id, notification_id),
    FOREIGN KEY (tenant_id, notification_id) REFERENCES notifications (tenant_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
INSERT INTO lighter_notification_texts SELECT * FROM notification_texts;
DROP TABLE notification_texts;
ALTER TABLE lighter_notification_texts RENAME TO notification_texts;

CREATE TABLE lighter_attempts (
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
) STRICT, WITHOUT ROWID;
INSERT INTO lighter_attempts SELECT * FROM attempts;
DROP TABLE attempts;
ALTER TABLE lighter_attempts RENAME TO attempts;

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
