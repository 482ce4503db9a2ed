-- $1 to $4: tenants, notifications, fences, statuses, as `unsendable_claims` found them in the same transaction.
UPDATE notifications
SET status = ended.status, claimed_by = NULL, claimed_at = NULL, lease_until = NULL, sending = NULL,
    modified_date = $5
FROM unnest($1::bigint[], $2::uuid[], $3::bigint[], $4::text[]) AS ended (tenant_id, id, fence, status)
WHERE notifications.tenant_id = ended.tenant_id
    AND notifications.id = ended.id
    AND notifications.fence = ended.fence
    AND notifications.lease_until IS NOT NULL
