SELECT json_build_array(
    json_build_array(
        record.id, record.user_id, record.target_id, record.target_user_id, record.description,
        record.active, record.inactive_reason
    ),
    users.username,
    targets.name
)::text
FROM target_user_records AS record
JOIN users ON users.tenant_id = record.tenant_id AND users.id = record.user_id
JOIN targets ON targets.tenant_id = record.tenant_id AND targets.id = record.target_id
WHERE record.tenant_id = $1
    AND ($2::uuid IS NULL OR record.user_id = $2)
    AND ($3::uuid IS NULL OR record.target_id = $3)
ORDER BY users.username COLLATE "C", targets.name COLLATE "C", record.target_user_id COLLATE "C"
