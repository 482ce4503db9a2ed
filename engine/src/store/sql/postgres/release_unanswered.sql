-- What $1 claimed until $2 and was due by $3 is free again. One whose user has opted out meanwhile, or that was canceled, does not go back to
-- waiting.
UPDATE notifications AS n
SET status = CASE WHEN n.opted_out THEN 'OPTED OUT' WHEN n.canceled THEN 'CANCELED' ELSE n.status END,
    claimed_by = NULL,
    claimed_at = NULL,
    lease_until = NULL,
    sending = NULL,
    modified_date = $3
FROM targets
WHERE n.tenant_id = targets.tenant_id
    AND n.target_id = targets.id
    AND n.status IN ('SCHEDULED', 'RETRY')
    AND n.scheduled_delivery <= $3
    AND n.claimed_by = $1
    AND n.lease_until = $2
