-- $1, $2: the tenants and ids of rows, as `claim_due` found them in the same transaction.
UPDATE notifications
SET claimed_by = $3, claimed_at = $4, lease_until = $5, fence = fence + 1
FROM unnest($1::bigint[], $2::uuid[]) AS claimed (tenant_id, id)
WHERE notifications.tenant_id = claimed.tenant_id AND notifications.id = claimed.id
