-- Whether there is one besides ?1 that has not been heard of since ?2.
SELECT json_quote(EXISTS (SELECT 1 FROM engines WHERE id <> ?1 AND heartbeat_at < ?2))
