-- $1 to $4: tenants, notifications, fences, policies.
UPDATE notifications
SET sending = held.policy
FROM unnest($1::bigint[], $2::uuid[], $3::bigint[], $4::text[]) AS held (tenant_id, id, fence, policy)
WHERE notifications.tenant_id = held.tenant_id
    AND notifications.id = held.id
    AND notifications.fence = held.fence
    AND notifications.lease_until IS NOT NULL
