-- $2 to $9: columns of the new ones, as they are named below. LIMIT keeps the planner from walking through the list for each record.
INSERT INTO notifications
    (tenant_id, id, target_user_record_id, target_id, status, scheduled_delivery, retry_time_interval, retry_attempts,
        max_retries, expires_at, idempotency_key, on_unknown, attempts, fence, lease_deaths, created_date,
        modified_date)
SELECT $1, new.id, record.id, record.target_id, 'SCHEDULED', new.scheduled_delivery, new.retry_time_interval, 0,
    new.max_retries, new.expires_at, new.idempotency_key, new.on_unknown, 0, 0, 0, $10, $10
FROM unnest(
    $2::uuid[], $3::uuid[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::text[], $9::text[]
) AS new (
    id, record, scheduled_delivery, retry_time_interval, max_retries, expires_at, idempotency_key, on_unknown
)
CROSS JOIN LATERAL (
    SELECT id, target_id FROM target_user_records WHERE tenant_id = $1 AND id = new.record LIMIT 1
) AS record
ON CONFLICT (tenant_id, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING
RETURNING to_json(id)::text
