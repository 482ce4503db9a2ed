-- Those besides ?1 that have not been heard of since ?2; all, if that is NULL.
DELETE FROM engines WHERE id <> ?1 AND (?2 IS NULL OR heartbeat_at < ?2)
