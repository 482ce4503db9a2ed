-- $2 to $5: notifications, titles, bodies, extras. A notification that was not stored, because there was one with
-- its idempotency key, gets no text either. LIMIT keeps the planner from walking through the list for each notification.
INSERT INTO notification_texts (tenant_id, notification_id, target_user_record_id, title, body, extra)
SELECT $1, stored.id, stored.target_user_record_id, new.title, new.body, new.extra::json
FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[]) AS new (id, title, body, extra)
CROSS JOIN LATERAL (
    SELECT id, target_user_record_id FROM notifications WHERE tenant_id = $1 AND id = new.id LIMIT 1
) AS stored
