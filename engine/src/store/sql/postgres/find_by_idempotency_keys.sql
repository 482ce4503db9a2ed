SELECT to_json(found.id)::text
FROM unnest($2::text[]) WITH ORDINALITY AS asked (key, place)
CROSS JOIN LATERAL (
    SELECT id FROM notifications WHERE tenant_id = $1 AND idempotency_key = asked.key LIMIT 1
) AS found
ORDER BY asked.place
