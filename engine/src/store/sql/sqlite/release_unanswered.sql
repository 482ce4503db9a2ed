-- What ?1 claimed until ?2 and was due by ?3 is free again. One whose user has opted out meanwhile, or that was canceled, does not go back to
-- waiting.
UPDATE notifications
SET status = CASE WHEN opted_out = 1 THEN 'OPTED OUT' WHEN canceled = 1 THEN 'CANCELED' ELSE status END,
    claimed_by = NULL,
    claimed_at = NULL,
    lease_until = NULL,
    sending = NULL,
    modified_date = ?3
WHERE (tenant_id, id) IN (
    SELECT n.tenant_id, n.id
    FROM targets
    CROSS JOIN notifications AS n INDEXED BY notifications_due ON n.tenant_id = targets.tenant_id
        AND n.target_id = targets.id
        AND n.status IN ('SCHEDULED', 'RETRY')
        AND n.scheduled_delivery <= ?3
    WHERE n.claimed_by = ?1 AND n.lease_until = ?2
)
