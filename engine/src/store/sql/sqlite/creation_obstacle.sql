-- The first of these records (?2: JSON list of ids) that nothing can be sent to, and why: the username of a user who
-- opted out, else the address of an inactive record, else neither for a record that does not exist.
SELECT json_array(
    wanted.value, CASE WHEN opt_outs.active = 1 THEN users.username END, record.target_user_id
)
FROM json_each(?2) AS wanted
LEFT JOIN target_user_records AS record ON record.tenant_id = ?1 AND record.id = unhex(wanted.value)
LEFT JOIN users ON users.tenant_id = record.tenant_id AND users.id = record.user_id
LEFT JOIN opt_outs ON opt_outs.tenant_id = record.tenant_id AND opt_outs.user_id = record.user_id
WHERE record.id IS NULL OR record.active = 0 OR opt_outs.active = 1
LIMIT 1
