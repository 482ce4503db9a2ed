-- $1: JSON list of the columns in the order in which they are named here.
INSERT INTO attempts
    (tenant_id, notification_id, number, started_at, finished_at, outcome, code, message, provider_id, phase, log,
        component_digest, engine_id)
SELECT (value ->> 0)::bigint, (value ->> 1)::uuid, (value ->> 2)::integer, (value ->> 3)::bigint,
    (value ->> 4)::bigint, value ->> 5, value ->> 6, value ->> 7, value ->> 8, value ->> 9, value ->> 10,
    value ->> 11, (value ->> 12)::uuid
FROM jsonb_array_elements($1::jsonb) AS list (value)
