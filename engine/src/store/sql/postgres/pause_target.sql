UPDATE targets
SET pause_kind = $3, pause_reason = $4, paused_since = $5, modified_date = $5
WHERE tenant_id = $1 AND id = $2 AND pause_kind IS NULL
