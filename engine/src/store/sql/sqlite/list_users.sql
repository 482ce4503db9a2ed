SELECT json_array(
    hex(id), username, email, first_name, last_name, time_zone, locale, json(attributes)
)
FROM users
WHERE tenant_id = ?1
ORDER BY username
