-- ?1: JSON list of the columns in the order in which they are named here.
INSERT INTO attempts
    (tenant_id, notification_id, number, started_at, finished_at, outcome, code, message, provider_id, phase, log,
        component_digest, engine_id, request_hash, usage)
SELECT value ->> 0, unhex(value ->> 1), value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7,
    value ->> 8, value ->> 9, value ->> 10, value ->> 11, unhex(value ->> 12), value ->> 13, value ->> 14
FROM jsonb_each(?1)
