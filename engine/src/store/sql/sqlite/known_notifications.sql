-- ?2: JSON list of ids.
SELECT json_array(
    hex(id), status, scheduled_delivery, attempted_delivery, retry_attempts, claimed_by IS NOT NULL, fence, modified_date
)
FROM notifications
WHERE tenant_id = ?1 AND id IN (SELECT unhex(value) FROM json_each(?2))
