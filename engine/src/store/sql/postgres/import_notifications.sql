-- $2 to $12: columns of the notifications, as they are named below. $13: JSON list of the users who have opted out; nothing waits for them.
-- One that is here already and waits is brought up to date if no engine has had it yet, or if it has ended there; what an engine is
-- sending, or has ended, stays. A key that another one has is left out: several equal ones are several.
INSERT INTO notifications
    (tenant_id, id, target_user_record_id, target_id, status, scheduled_delivery, attempted_delivery,
        retry_time_interval, retry_attempts, max_retries, idempotency_key, attempts, fence, lease_deaths, created_date,
        modified_date)
SELECT $1, new.id, record.id, record.target_id,
    CASE
        WHEN new.status IN ('SCHEDULED', 'RETRY')
            AND record.user_id IN (SELECT value::uuid FROM jsonb_array_elements_text($13::jsonb) AS opted_out (value))
            THEN 'OPTED OUT'
        ELSE new.status
    END,
    new.scheduled_delivery, new.attempted_delivery, new.retry_time_interval, new.retry_attempts,
    new.max_retries,
    CASE
        WHEN NOT EXISTS (
            SELECT 1 FROM notifications AS other WHERE other.tenant_id = $1 AND other.idempotency_key = new.idempotency_key
        ) THEN new.idempotency_key
    END,
    0, 0, 0, new.created_date, new.modified_date
FROM unnest(
    $2::uuid[], $3::uuid[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::text[],
    $11::bigint[], $12::bigint[]
) AS new (
    id, record, status, scheduled_delivery, attempted_delivery, retry_time_interval, retry_attempts, max_retries, idempotency_key,
    created_date, modified_date
)
JOIN target_user_records AS record ON record.tenant_id = $1 AND record.id = new.record
ON CONFLICT (tenant_id, id) DO UPDATE
SET status = excluded.status,
    scheduled_delivery = excluded.scheduled_delivery,
    attempted_delivery = excluded.attempted_delivery,
    retry_time_interval = excluded.retry_time_interval,
    retry_attempts = excluded.retry_attempts,
    max_retries = excluded.max_retries,
    modified_date = excluded.modified_date
WHERE notifications.claimed_by IS NULL
    AND notifications.status IN ('SCHEDULED', 'RETRY')
    AND (notifications.fence = 0 OR excluded.status NOT IN ('SCHEDULED', 'RETRY'))
RETURNING to_json(id)::text
