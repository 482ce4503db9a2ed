INSERT INTO users
    (tenant_id, id, username, email, first_name, last_name, time_zone, locale, attributes, created_date, modified_date)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::json, $10, $10)
