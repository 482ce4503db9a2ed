-- ?1: JSON list of [tenant, notification, fence]. One whose user has opted out meanwhile, or that was canceled,
-- does not go back to waiting.
UPDATE notifications
SET status = CASE WHEN opted_out = 1 THEN 'OPTED OUT' WHEN canceled = 1 THEN 'CANCELED' ELSE status END,
    claimed_by = NULL,
    claimed_at = NULL,
    lease_until = NULL,
    sending = NULL,
    modified_date = ?2
FROM (
    SELECT value ->> 0 AS tenant_id, unhex(value ->> 1) AS id, value ->> 2 AS fence FROM jsonb_each(?1)
) AS released
WHERE notifications.tenant_id = released.tenant_id
    AND notifications.id = released.id
    AND notifications.fence = released.fence
    AND notifications.claimed_by IS NOT NULL
