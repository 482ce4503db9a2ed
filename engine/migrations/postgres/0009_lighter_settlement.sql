-- What a notification says is written once, so that there it costs nothing later to be found by its record. In `notifications`, which PostgreSQL writes anew into
-- each index with every settlement, that index cost as much as all the rest of a settlement.
ALTER TABLE notification_texts ADD COLUMN target_user_record_id UUID;
UPDATE notification_texts AS texts
SET target_user_record_id = n.target_user_record_id
FROM notifications AS n
WHERE n.tenant_id = texts.tenant_id AND n.id = texts.notification_id;
ALTER TABLE notification_texts ALTER COLUMN target_user_record_id SET NOT NULL;
CREATE INDEX notification_texts_by_record ON notification_texts (target_user_record_id, tenant_id);
DROP INDEX notifications_by_record;

-- Nor is a foreign key of use that would have to find them there. A new notification holds its record as one would, and the record takes its notifications with it.
ALTER TABLE notifications DROP CONSTRAINT notifications_tenant_id_target_user_record_id_target_id_fkey;
CREATE OR REPLACE FUNCTION notifications_respect_opt_outs() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    addressee UUID;
BEGIN
    SELECT user_id INTO addressee
    FROM target_user_records
    WHERE tenant_id = NEW.tenant_id AND id = NEW.target_user_record_id AND target_id = NEW.target_id
    FOR KEY SHARE;
    IF addressee IS NULL THEN
        RAISE foreign_key_violation USING MESSAGE = 'foreign key: a notification has no record';
    END IF;
    PERFORM 1 FROM users WHERE tenant_id = NEW.tenant_id AND id = addressee FOR SHARE;
    IF EXISTS (SELECT 1 FROM opt_outs WHERE tenant_id = NEW.tenant_id AND user_id = addressee AND active) THEN
        RAISE EXCEPTION 'opted_out';
    END IF;
    RETURN NEW;
END
$$;

CREATE FUNCTION records_take_notifications() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM notifications
    WHERE tenant_id = OLD.tenant_id
        AND id = ANY (ARRAY(
            SELECT notification_id
            FROM notification_texts
            WHERE tenant_id = OLD.tenant_id AND target_user_record_id = OLD.id
        ));
    RETURN OLD;
END
$$;
CREATE TRIGGER records_take_notifications BEFORE DELETE ON target_user_records
    FOR EACH ROW EXECUTE FUNCTION records_take_notifications();

CREATE FUNCTION records_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE foreign_key_violation USING MESSAGE = 'foreign key: a record stays where it is';
END
$$;
CREATE TRIGGER records_stay BEFORE UPDATE OF tenant_id, id, target_id ON target_user_records
    FOR EACH ROW
    WHEN ((OLD.tenant_id, OLD.id, OLD.target_id) IS DISTINCT FROM (NEW.tenant_id, NEW.id, NEW.target_id))
    EXECUTE FUNCTION records_stay();

CREATE TRIGGER notifications_stay BEFORE UPDATE OF target_user_record_id, target_id ON notifications
    FOR EACH ROW
    WHEN ((OLD.target_user_record_id, OLD.target_id) IS DISTINCT FROM (NEW.target_user_record_id, NEW.target_id))
    EXECUTE FUNCTION refuse('foreign key: a notification stays with its record');
UPDATE compatibility SET least_known = 9;
