-- $1 to $3: tenants, notifications, fences. One whose user has opted out meanwhile, or that was canceled,
-- does not go back to waiting.
UPDATE notifications
SET status = CASE WHEN opted_out THEN 'OPTED OUT' WHEN canceled THEN 'CANCELED' ELSE status END,
    claimed_by = NULL,
    claimed_at = NULL,
    lease_until = NULL,
    sending = NULL,
    modified_date = $4
FROM unnest($1::bigint[], $2::uuid[], $3::bigint[]) AS released (tenant_id, id, fence)
WHERE notifications.tenant_id = released.tenant_id
    AND notifications.id = released.id
    AND notifications.fence = released.fence
    AND notifications.lease_until IS NOT NULL
