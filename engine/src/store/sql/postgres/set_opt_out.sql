INSERT INTO opt_outs (tenant_id, user_id, active, created_date, modified_date)
VALUES ($1, $2, $3, $4, $4)
ON CONFLICT (tenant_id, user_id) DO UPDATE SET active = excluded.active, modified_date = excluded.modified_date
