SELECT json_build_array(users.username, opt_outs.active, opt_outs.modified_date)::text
FROM opt_outs
JOIN users ON users.tenant_id = opt_outs.tenant_id AND users.id = opt_outs.user_id
WHERE opt_outs.tenant_id = $1
ORDER BY users.username COLLATE "C"
