-- ?1: JSON list of [tenant, notification, fence, policy].
UPDATE notifications
SET sending = held.policy
FROM (
    SELECT value ->> 0 AS tenant_id, unhex(value ->> 1) AS id, value ->> 2 AS fence, value ->> 3 AS policy FROM json_each(?1)
) AS held
WHERE notifications.tenant_id = held.tenant_id
    AND notifications.id = held.id
    AND notifications.fence = held.fence
    AND notifications.lease_until IS NOT NULL
