-- With the name of its target, and when it was last changed.
SELECT json_build_array(
    json_build_array(
        secret.id, secret.name, secret.target_id, secret.key_id, encode(secret.ciphertext, 'hex'),
        coalesce((
            SELECT json_agg(origin)
            FROM secret_origins AS bound
            WHERE bound.tenant_id = secret.tenant_id AND bound.secret_id = secret.id
        ), '[]')
    ),
    targets.name,
    secret.modified_date
)::text
FROM secrets AS secret
LEFT JOIN targets ON targets.tenant_id = secret.tenant_id AND targets.id = secret.target_id
WHERE secret.tenant_id = $1 AND secret.target_user_record_id IS NULL
ORDER BY secret.name COLLATE "C", targets.name COLLATE "C" NULLS FIRST
