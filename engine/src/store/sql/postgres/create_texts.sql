-- $2: JSON list of [notification, title, body, extra]. A notification that was not stored, because there was one with
-- its idempotency key, gets no text either.
INSERT INTO notification_texts (tenant_id, notification_id, title, body, extra)
SELECT $1, notifications.id, new.value ->> 1, new.value ->> 2, (new.value ->> 3)::json
FROM jsonb_array_elements($2::jsonb) AS new (value)
JOIN notifications ON notifications.tenant_id = $1 AND notifications.id = (new.value ->> 0)::uuid
