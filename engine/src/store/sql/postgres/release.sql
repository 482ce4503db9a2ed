-- $1: JSON list of [tenant, notification, fence]. One whose user has opted out meanwhile, or that was canceled,
-- does not go back to waiting.
UPDATE notifications
SET status = CASE WHEN opted_out THEN 'OPTED OUT' WHEN canceled THEN 'CANCELED' ELSE status END,
    claimed_by = NULL,
    claimed_at = NULL,
    lease_until = NULL,
    sending = NULL,
    modified_date = $2
FROM (
    SELECT (value ->> 0)::bigint AS tenant_id, (value ->> 1)::uuid AS id, (value ->> 2)::bigint AS fence
    FROM jsonb_array_elements($1::jsonb) AS list (value)
) AS released
WHERE notifications.tenant_id = released.tenant_id
    AND notifications.id = released.id
    AND notifications.fence = released.fence
    AND notifications.lease_until IS NOT NULL
