-- For what no trigger sees. $1: the time.
INSERT INTO interventions (transaction_id, at)
VALUES (pg_current_xact_id()::text::bigint, $1)
ON CONFLICT DO NOTHING
