-- $1: JSON list of [tenant, notification, fence, status], as `unsendable_claims` found them in the same transaction.
UPDATE notifications
SET status = ended.status, claimed_by = NULL, claimed_at = NULL, lease_until = NULL, sending = NULL,
    modified_date = $2
FROM (
    SELECT (value ->> 0)::bigint AS tenant_id, (value ->> 1)::uuid AS id, (value ->> 2)::bigint AS fence, value ->> 3 AS status
    FROM jsonb_array_elements($1::jsonb) AS list (value)
) AS ended
WHERE notifications.tenant_id = ended.tenant_id
    AND notifications.id = ended.id
    AND notifications.fence = ended.fence
    AND notifications.lease_until IS NOT NULL
