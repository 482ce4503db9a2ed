-- All that a target is set up with, as it was at one moment. Secrets are those of the target and of its whole tenant.
SELECT json_array(
    targets.revision,
    (SELECT digest FROM target_components AS used WHERE used.tenant_id = targets.tenant_id AND used.target_id = targets.id),
    json((
        SELECT json_group_array(json_array(capability, scope))
        FROM grants
        WHERE grants.tenant_id = targets.tenant_id AND grants.target_id = targets.id
    )),
    json((
        SELECT json_group_array(json_array(name, value))
        FROM target_settings AS setting
        WHERE setting.tenant_id = targets.tenant_id AND setting.target_id = targets.id
    )),
    json((
        SELECT json_group_array(json_array(name, amount))
        FROM target_limits AS lower
        WHERE lower.tenant_id = targets.tenant_id AND lower.target_id = targets.id
    )),
    json((
        SELECT json_group_array(json_array(
            hex(secret.id), secret.name, CASE WHEN secret.target_id IS NOT NULL THEN hex(secret.target_id) END, secret.key_id,
            hex(secret.ciphertext),
            json((
                SELECT json_group_array(origin)
                FROM secret_origins AS bound
                WHERE bound.tenant_id = secret.tenant_id AND bound.secret_id = secret.id
            ))
        ))
        FROM secrets AS secret
        WHERE secret.tenant_id = targets.tenant_id
            AND (secret.target_id IS NULL OR secret.target_id = targets.id)
            AND secret.target_user_record_id IS NULL
    ))
)
FROM targets
WHERE tenant_id = ?1 AND id = ?2
