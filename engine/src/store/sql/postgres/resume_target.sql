UPDATE targets
SET pause_kind = NULL, pause_reason = NULL, paused_since = NULL, slowed_until = NULL, faults = 0,
    modified_date = $3
WHERE tenant_id = $1 AND id = $2
