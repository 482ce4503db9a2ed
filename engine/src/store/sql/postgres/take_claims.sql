-- $1: JSON list of rows, as `claim_due` found them in the same transaction.
UPDATE notifications
SET claimed_by = $2, claimed_at = $3, lease_until = $4, fence = fence + 1
FROM (
    SELECT (value ->> 0)::bigint AS tenant_id, (value ->> 1)::uuid AS id
    FROM jsonb_array_elements($1::jsonb) AS list (value)
) AS claimed
WHERE notifications.tenant_id = claimed.tenant_id AND notifications.id = claimed.id
