SELECT CAST(id AS TEXT), CAST(name AS TEXT), CAST(notification_module_name AS TEXT)
FROM notification_system_target
ORDER BY name
