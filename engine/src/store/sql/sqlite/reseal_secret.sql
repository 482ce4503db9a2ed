-- Only what is still as it was read.
UPDATE secrets
SET key_id = ?3, ciphertext = ?4, modified_date = ?6
WHERE tenant_id = ?1 AND id = ?2 AND key_id = ?5
