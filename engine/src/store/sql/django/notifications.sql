SELECT CAST(id AS TEXT), CAST(target_user_record_id AS TEXT), CAST(title AS TEXT), CAST(body AS TEXT),
    CAST(extra AS TEXT), CAST(status AS TEXT), CAST(scheduled_delivery AS TEXT), CAST(attempted_delivery AS TEXT),
    CAST(retry_time_interval AS TEXT), CAST(retry_attempts AS TEXT), CAST(max_retries AS TEXT),
    CAST(created_date AS TEXT), CAST(modified_date AS TEXT)
FROM notification_system_notification
