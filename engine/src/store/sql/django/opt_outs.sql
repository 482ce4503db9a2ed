SELECT CAST(id AS TEXT), CAST(user_id AS TEXT), CAST(active AS TEXT), CAST(modified_date AS TEXT)
FROM notification_system_opt_out
