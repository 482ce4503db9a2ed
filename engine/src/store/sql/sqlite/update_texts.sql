-- ?2: JSON list of [notification, title, body, extra].
UPDATE notification_texts
SET title = new.title, body = new.body, extra = new.extra
FROM (
    SELECT unhex(value ->> 0) AS id, value ->> 1 AS title, value ->> 2 AS body, value ->> 3 AS extra FROM json_each(?2)
) AS new
WHERE notification_texts.tenant_id = ?1 AND notification_texts.notification_id = new.id
