INSERT INTO targets
    (tenant_id, id, name, notification_module_name, pause_kind, pause_reason, paused_since, slowed_until, created_date,
        modified_date)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)
