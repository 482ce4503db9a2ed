SELECT CAST(id AS TEXT), CAST(user_id AS TEXT), CAST(target_id AS TEXT), CAST(target_user_id AS TEXT),
    CAST(description AS TEXT), CAST(active AS TEXT)
FROM notification_system_target_user_record
