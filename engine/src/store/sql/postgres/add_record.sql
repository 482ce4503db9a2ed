INSERT INTO target_user_records
    (tenant_id, id, user_id, target_id, target_user_id, description, active, inactive_reason, created_date,
        modified_date)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)
