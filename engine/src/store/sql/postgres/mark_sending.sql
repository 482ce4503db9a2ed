-- $1: JSON list of [tenant, notification, fence, policy].
UPDATE notifications
SET sending = held.policy
FROM (
    SELECT (value ->> 0)::bigint AS tenant_id, (value ->> 1)::uuid AS id, (value ->> 2)::bigint AS fence, value ->> 3 AS policy
    FROM jsonb_array_elements($1::jsonb) AS list (value)
) AS held
WHERE notifications.tenant_id = held.tenant_id
    AND notifications.id = held.id
    AND notifications.fence = held.fence
    AND notifications.lease_until IS NOT NULL
