-- Each transaction in which somebody decided something that may keep claimed notifications from being sent. Engines ask right before each send whether there was
-- one that the claim did not see, which is one look for a whole batch, and look at each notification only then. Every transaction has a row of its own, so that none
-- waits for another; an hour later no claim is left that could ask for it.
CREATE TABLE interventions (
    transaction_id BIGINT PRIMARY KEY,
    at             BIGINT NOT NULL
);
CREATE INDEX interventions_by_time ON interventions (at);

CREATE FUNCTION intervene() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    now CONSTANT BIGINT := extract(epoch FROM clock_timestamp()) * 1000;
BEGIN
    INSERT INTO interventions (transaction_id, at)
    VALUES (pg_current_xact_id()::text::bigint, now)
    ON CONFLICT DO NOTHING;
    DELETE FROM interventions
    WHERE transaction_id = ANY (ARRAY(
        SELECT transaction_id FROM interventions WHERE at < now - 3600000 ORDER BY at LIMIT 10 FOR UPDATE SKIP LOCKED
    ));
    RETURN NULL;
END
$$;
CREATE TRIGGER opt_outs_intervene AFTER INSERT OR UPDATE ON opt_outs
    FOR EACH STATEMENT EXECUTE FUNCTION intervene();
CREATE TRIGGER target_user_records_intervene AFTER UPDATE OF active ON target_user_records
    FOR EACH STATEMENT EXECUTE FUNCTION intervene();
CREATE TRIGGER notifications_intervene AFTER UPDATE OF opted_out, canceled ON notifications
    FOR EACH STATEMENT EXECUTE FUNCTION intervene();
UPDATE compatibility SET least_known = 12;
