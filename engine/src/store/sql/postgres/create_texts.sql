-- $2: JSON list of [notification, title, body, extra]. A notification that was not stored, because there was one with
-- its idempotency key, gets no text either. LIMIT keeps the planner from walking through the list for each notification.
INSERT INTO notification_texts (tenant_id, notification_id, title, body, extra)
SELECT $1, stored.id, new.value ->> 1, new.value ->> 2, (new.value ->> 3)::json
FROM jsonb_array_elements($2::jsonb) AS new (value)
CROSS JOIN LATERAL (
    SELECT id FROM notifications WHERE tenant_id = $1 AND id = (new.value ->> 0)::uuid LIMIT 1
) AS stored
