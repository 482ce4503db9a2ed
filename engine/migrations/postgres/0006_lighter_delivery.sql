-- A claim changes nothing that is in an index: where nothing is claimed for long, to pass over what is claimed costs less than to take it out
-- of one index, and in PostgreSQL out of all. Claims that were lost are looked for among what waits.
DROP INDEX notifications_claimed;
DROP INDEX notifications_due;
CREATE INDEX notifications_due ON notifications (tenant_id, target_id, scheduled_delivery)
    WHERE status IN ('SCHEDULED', 'RETRY');
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
