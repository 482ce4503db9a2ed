SELECT json_build_array(
    id, username, email, first_name, last_name, time_zone, locale, attributes
)::text
FROM users
WHERE tenant_id = $1
ORDER BY username COLLATE "C"
