-- ?2: JSON list of [id, record, status, scheduled_delivery, attempted_delivery, retry_time_interval, retry_attempts, max_retries,
-- idempotency_key, created_date, modified_date]. ?3: JSON list of the users who have opted out; nothing waits for them.
-- One that is here already and waits is brought up to date if no engine has had it yet, or if it has ended there; what an engine is
-- sending, or has ended, stays. A key that another one has is left out: several equal ones are several.
INSERT INTO notifications
    (tenant_id, id, target_user_record_id, target_id, status, scheduled_delivery, attempted_delivery,
        retry_time_interval, retry_attempts, max_retries, idempotency_key, attempts, fence, lease_deaths, created_date,
        modified_date)
SELECT ?1, unhex(new.value ->> 0), record.id, record.target_id,
    CASE
        WHEN new.value ->> 2 IN ('SCHEDULED', 'RETRY')
            AND record.user_id IN (SELECT unhex(opted_out.value) FROM json_each(?3) AS opted_out)
            THEN 'OPTED OUT'
        ELSE new.value ->> 2
    END,
    new.value ->> 3, new.value ->> 4, new.value ->> 5, new.value ->> 6, new.value ->> 7,
    CASE
        WHEN NOT EXISTS (
            SELECT 1 FROM notifications AS other WHERE other.tenant_id = ?1 AND other.idempotency_key = new.value ->> 8
        ) THEN new.value ->> 8
    END,
    0, 0, 0, new.value ->> 9, new.value ->> 10
FROM json_each(?2) AS new
CROSS JOIN target_user_records AS record ON record.tenant_id = ?1 AND record.id = unhex(new.value ->> 1)
WHERE true
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
RETURNING json_quote(hex(id))
