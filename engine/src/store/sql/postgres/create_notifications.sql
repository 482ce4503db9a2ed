-- $2: JSON list of [id, record, scheduled_delivery, retry_time_interval, max_retries, expires_at, idempotency_key,
-- on_unknown]. LIMIT keeps the planner from walking through the list for each record.
INSERT INTO notifications
    (tenant_id, id, target_user_record_id, target_id, status, scheduled_delivery, retry_time_interval, retry_attempts,
        max_retries, expires_at, idempotency_key, on_unknown, attempts, fence, lease_deaths, created_date,
        modified_date)
SELECT $1, (new.value ->> 0)::uuid, record.id, record.target_id, 'SCHEDULED', (new.value ->> 2)::bigint,
    (new.value ->> 3)::integer, 0, (new.value ->> 4)::integer, (new.value ->> 5)::bigint, new.value ->> 6,
    new.value ->> 7, 0, 0, 0, $3, $3
FROM jsonb_array_elements($2::jsonb) AS new (value)
CROSS JOIN LATERAL (
    SELECT id, target_id FROM target_user_records WHERE tenant_id = $1 AND id = (new.value ->> 1)::uuid LIMIT 1
) AS record
ON CONFLICT (tenant_id, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING
RETURNING to_json(id)::text
