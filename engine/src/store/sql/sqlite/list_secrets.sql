-- With the name of its target, and when it was last changed.
SELECT json_array(
    json_array(
        hex(secret.id), secret.name, CASE WHEN secret.target_id IS NOT NULL THEN hex(secret.target_id) END, secret.key_id,
        hex(secret.ciphertext),
        json((
            SELECT json_group_array(origin)
            FROM secret_origins AS bound
            WHERE bound.tenant_id = secret.tenant_id AND bound.secret_id = secret.id
        ))
    ),
    targets.name,
    secret.modified_date
)
FROM secrets AS secret
LEFT JOIN targets ON targets.tenant_id = secret.tenant_id AND targets.id = secret.target_id
WHERE secret.tenant_id = ?1 AND secret.target_user_record_id IS NULL
ORDER BY secret.name, targets.name
