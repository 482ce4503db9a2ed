-- ?1: JSON list of [tenant, notification, fence, status], as `unsendable_claims` found them in the same transaction.
UPDATE notifications
SET status = ended.status, claimed_by = NULL, claimed_at = NULL, lease_until = NULL, sending = NULL,
    modified_date = ?2
FROM (
    SELECT value ->> 0 AS tenant_id, unhex(value ->> 1) AS id, value ->> 2 AS fence, value ->> 3 AS status FROM json_each(?1)
) AS ended
WHERE notifications.tenant_id = ended.tenant_id
    AND notifications.id = ended.id
    AND notifications.fence = ended.fence
    AND notifications.claimed_by IS NOT NULL
