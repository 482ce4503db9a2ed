-- $1 to $3: tenants, notifications and statuses, as `claim_due` found them in the same transaction.
UPDATE notifications
SET status = ended.status, modified_date = $4
FROM unnest($1::bigint[], $2::uuid[], $3::text[]) AS ended (tenant_id, id, status)
WHERE notifications.tenant_id = ended.tenant_id AND notifications.id = ended.id
