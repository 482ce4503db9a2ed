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
WHERE record.tenant_id = $1 AND record.id = $2
