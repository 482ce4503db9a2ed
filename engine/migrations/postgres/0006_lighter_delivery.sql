-- A claim changes nothing that is in an index: where nothing is claimed for long, to pass over what is claimed costs less than to take it out
-- of one index, and in PostgreSQL out of all. Claims that were lost are looked for among what waits.
DROP INDEX notifications_claimed;
DROP INDEX notifications_due;
CREATE INDEX notifications_due ON notifications (tenant_id, target_id, scheduled_delivery)
    WHERE status IN ('SCHEDULED', 'RETRY');
-- Users, records and notifications are found by their ids. An index that begins with the tenant seems to be as good for that to a planner that knows nothing of
-- a table yet, and walks through all that the tenant has.
ALTER TABLE users DROP CONSTRAINT users_tenant_id_username_key, ADD UNIQUE (username, tenant_id);
ALTER TABLE target_user_records
    DROP CONSTRAINT target_user_records_tenant_id_user_id_target_id_target_user_key,
    ADD UNIQUE (user_id, tenant_id, target_id, target_user_id);
DROP INDEX target_user_records_by_target;
CREATE INDEX target_user_records_by_target ON target_user_records (target_id, tenant_id);

DROP INDEX notifications_by_record;
CREATE INDEX notifications_by_record ON notifications (target_user_record_id, tenant_id);

-- The same for what each new notification asks; one look at its record is enough.
CREATE OR REPLACE FUNCTION notifications_respect_opt_outs() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    addressee UUID;
BEGIN
    SELECT user_id INTO addressee
    FROM target_user_records
    WHERE tenant_id = NEW.tenant_id AND id = NEW.target_user_record_id;
    PERFORM 1 FROM users WHERE tenant_id = NEW.tenant_id AND id = addressee FOR SHARE;
    IF EXISTS (SELECT 1 FROM opt_outs WHERE tenant_id = NEW.tenant_id AND user_id = addressee AND active) THEN
        RAISE EXCEPTION 'opted_out';
    END IF;
    RETURN NEW;
END
$$;

-- All rows of a page are claimed within moments, and each needs a place for what it becomes beside what it was.
ALTER TABLE notifications SET (fillfactor = 45);

-- A trigger before the update would lock each row once more.
DROP TRIGGER notifications_fence_only_grows ON notifications;
CREATE TRIGGER notifications_fence_only_grows AFTER UPDATE OF fence ON notifications
    FOR EACH ROW WHEN (NEW.fence < OLD.fence) EXECUTE FUNCTION refuse('fence_only_grows');

-- A foreign key looks at each new row of the history on its own, and locks its notification, which the same transaction has just written:
-- that cost more than the row itself. What it promised holds for whole statements now.
ALTER TABLE attempts DROP CONSTRAINT attempts_tenant_id_notification_id_fkey;

CREATE FUNCTION attempts_have_notifications() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT 1
        FROM added
        WHERE NOT EXISTS (
            SELECT 1
            FROM notifications
            WHERE notifications.tenant_id = added.tenant_id AND notifications.id = added.notification_id
        )
    ) THEN
        RAISE foreign_key_violation USING MESSAGE = 'foreign key: an attempt has no notification';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER attempts_have_notifications AFTER INSERT ON attempts
    REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION attempts_have_notifications();

CREATE FUNCTION attempts_go_with_notifications() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM attempts USING gone
    WHERE attempts.tenant_id = gone.tenant_id AND attempts.notification_id = gone.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER attempts_go_with_notifications AFTER DELETE ON notifications
    REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION attempts_go_with_notifications();
