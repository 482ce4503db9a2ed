-- ?1: JSON list of [tenant, notification], as `claim_due` found them in the same transaction.
UPDATE notifications
SET claimed_by = ?2, claimed_at = ?3, lease_until = ?4, fence = fence + 1
FROM (SELECT value ->> 0 AS tenant_id, unhex(value ->> 1) AS id FROM json_each(?1)) AS claimed
WHERE notifications.tenant_id = claimed.tenant_id AND notifications.id = claimed.id
