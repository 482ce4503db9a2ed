-- $2: ids.
SELECT json_build_array(
    id, status, scheduled_delivery, attempted_delivery, retry_attempts, claimed_by IS NOT NULL, fence, modified_date
)::text
FROM notifications
WHERE tenant_id = $1 AND id IN (SELECT unnest($2::uuid[]))
