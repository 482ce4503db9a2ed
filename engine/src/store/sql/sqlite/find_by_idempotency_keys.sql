-- ?2: JSON list of keys.
SELECT json_quote(hex(notifications.id))
FROM json_each(?2) AS asked
CROSS JOIN notifications ON notifications.tenant_id = ?1 AND notifications.idempotency_key = asked.value
ORDER BY asked.key
