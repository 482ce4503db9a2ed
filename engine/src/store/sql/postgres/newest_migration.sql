SELECT coalesce(to_json(max(version))::text, 'null') FROM _sqlx_migrations
