SELECT to_json(to_regclass('_sqlx_migrations') IS NOT NULL)::text
