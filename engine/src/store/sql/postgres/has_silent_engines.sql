-- Whether there is one besides $1 that has not been heard of since $2.
SELECT to_json(EXISTS (SELECT 1 FROM engines WHERE id <> $1 AND heartbeat_at < $2))::text
