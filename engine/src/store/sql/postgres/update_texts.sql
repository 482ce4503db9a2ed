-- $2: JSON list of [notification, title, body, extra].
UPDATE notification_texts
SET title = new.title, body = new.body, extra = new.extra
FROM (
    SELECT (value ->> 0)::uuid AS id, value ->> 1 AS title, value ->> 2 AS body, (value ->> 3)::json AS extra
    FROM jsonb_array_elements($2::jsonb) AS list (value)
) AS new
WHERE notification_texts.tenant_id = $1 AND notification_texts.notification_id = new.id
