-- The first of these records ($2: their ids) that nothing can be sent to, and why: the username of a user who
-- opted out, else the address of an inactive record, else neither for a record that does not exist.
SELECT json_build_array(
    wanted.id, CASE WHEN opt_outs.active THEN users.username END, record.target_user_id
)::text
FROM unnest($2::uuid[]) AS wanted (id)
LEFT JOIN LATERAL (
    SELECT * FROM target_user_records WHERE tenant_id = $1 AND id = wanted.id LIMIT 1
) AS record ON true
LEFT JOIN LATERAL (
    SELECT * FROM users WHERE tenant_id = $1 AND id = record.user_id LIMIT 1
) AS users ON true
LEFT JOIN opt_outs ON opt_outs.tenant_id = record.tenant_id AND opt_outs.user_id = record.user_id
WHERE record.id IS NULL OR NOT record.active OR opt_outs.active
LIMIT 1
