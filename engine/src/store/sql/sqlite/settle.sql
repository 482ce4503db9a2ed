-- ?1: JSON list of [tenant, notification, fence, status, scheduled_delivery, attempted_delivery, retry_attempts,
-- attempts, lease deaths]. A claim that has ended, or whose fence has grown, is not among the rows that are changed and
-- returned; nor does one go back to waiting whose user has opted out, or that was canceled, meanwhile: what it is then is returned.
UPDATE notifications
SET status = CASE
        WHEN settled.status NOT IN ('SCHEDULED', 'RETRY') THEN settled.status
        WHEN opted_out = 1 THEN 'OPTED OUT'
        WHEN canceled = 1 THEN 'CANCELED'
        ELSE settled.status
    END,
    scheduled_delivery = settled.scheduled_delivery,
    attempted_delivery = settled.attempted_delivery,
    retry_attempts = settled.retry_attempts,
    attempts = settled.attempts,
    lease_deaths = notifications.lease_deaths + settled.lease_deaths,
    claimed_by = NULL,
    claimed_at = NULL,
    lease_until = NULL,
    sending = NULL,
    modified_date = ?2
FROM (
    SELECT value ->> 0 AS tenant_id, unhex(value ->> 1) AS id, value ->> 2 AS fence, value ->> 3 AS status,
        value ->> 4 AS scheduled_delivery, value ->> 5 AS attempted_delivery, value ->> 6 AS retry_attempts,
        value ->> 7 AS attempts, value ->> 8 AS lease_deaths
    FROM jsonb_each(?1)
) AS settled
WHERE notifications.tenant_id = settled.tenant_id
    AND notifications.id = settled.id
    AND notifications.fence = settled.fence
    AND notifications.claimed_by IS NOT NULL
RETURNING json_array(
    notifications.tenant_id, hex(notifications.id), notifications.fence, hex(target_user_record_id), hex(target_id),
    CASE WHEN (opted_out = 1 OR canceled = 1) AND status IN ('OPTED OUT', 'CANCELED') THEN status END
)
