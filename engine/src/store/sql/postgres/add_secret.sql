INSERT INTO secrets (tenant_id, id, target_id, name, key_id, ciphertext, created_date, modified_date)
VALUES ($1, $2, $3, $4, $5, $6, $7, $7)
