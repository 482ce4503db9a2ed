UPDATE users
SET email = $3, first_name = $4, last_name = $5, time_zone = $6, locale = $7, attributes = $8::json, modified_date = $9
WHERE tenant_id = $1 AND id = $2
