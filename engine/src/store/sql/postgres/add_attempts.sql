-- $1 to $15: the columns in the order in which they are named here.
INSERT INTO attempts
    (tenant_id, notification_id, number, started_at, finished_at, outcome, code, message, provider_id, phase, log,
        component_digest, engine_id, request_hash, usage)
SELECT *
FROM unnest(
    $1::bigint[], $2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[], $7::text[], $8::text[], $9::text[],
    $10::text[], $11::text[], $12::text[], $13::uuid[], $14::text[], $15::text[]
)
