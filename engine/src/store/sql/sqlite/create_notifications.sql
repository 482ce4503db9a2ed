-- ?2: JSON list of [id, record, scheduled_delivery, retry_time_interval, max_retries, expires_at, idempotency_key,
-- on_unknown]
INSERT INTO notifications
    (tenant_id, id, target_user_record_id, target_id, status, scheduled_delivery, retry_time_interval, retry_attempts,
        max_retries, expires_at, idempotency_key, on_unknown, attempts, fence, lease_deaths, created_date,
        modified_date)
SELECT ?1, unhex(new.value ->> 0), record.id, record.target_id, 'SCHEDULED', new.value ->> 2, new.value ->> 3, 0,
    new.value ->> 4, new.value ->> 5, new.value ->> 6, new.value ->> 7, 0, 0, 0, ?3, ?3
FROM jsonb_each(?2) AS new
CROSS JOIN target_user_records AS record ON record.tenant_id = ?1 AND record.id = unhex(new.value ->> 1)
WHERE true
ON CONFLICT (tenant_id, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING
RETURNING json_quote(hex(id))
