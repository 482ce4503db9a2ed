-- $2 to $5: notifications, titles, bodies, extras.
UPDATE notification_texts
SET title = new.title, body = new.body, extra = new.extra::json
FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[]) AS new (id, title, body, extra)
WHERE notification_texts.tenant_id = $1 AND notification_texts.notification_id = new.id
