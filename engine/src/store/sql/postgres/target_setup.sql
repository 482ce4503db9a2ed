-- All that a target is set up with, as it was at one moment. Secrets are those of the target and of its whole tenant.
SELECT json_build_array(
    targets.revision,
    (SELECT digest FROM target_components AS used WHERE used.tenant_id = targets.tenant_id AND used.target_id = targets.id),
    coalesce((
        SELECT json_agg(json_build_array(capability, scope))
        FROM grants
        WHERE grants.tenant_id = targets.tenant_id AND grants.target_id = targets.id
    ), '[]'),
    coalesce((
        SELECT json_agg(json_build_array(name, value))
        FROM target_settings AS setting
        WHERE setting.tenant_id = targets.tenant_id AND setting.target_id = targets.id
    ), '[]'),
    coalesce((
        SELECT json_agg(json_build_array(name, amount))
        FROM target_limits AS lower
        WHERE lower.tenant_id = targets.tenant_id AND lower.target_id = targets.id
    ), '[]'),
    coalesce((
        SELECT json_agg(json_build_array(
            secret.id, secret.name, secret.target_id, secret.key_id, encode(secret.ciphertext, 'hex'),
            coalesce((
                SELECT json_agg(origin)
                FROM secret_origins AS bound
                WHERE bound.tenant_id = secret.tenant_id AND bound.secret_id = secret.id
            ), '[]')
        ))
        FROM secrets AS secret
        WHERE secret.tenant_id = targets.tenant_id
            AND (secret.target_id IS NULL OR secret.target_id = targets.id)
            AND secret.target_user_record_id IS NULL
    ), '[]')
)::text
FROM targets
WHERE tenant_id = $1 AND id = $2
