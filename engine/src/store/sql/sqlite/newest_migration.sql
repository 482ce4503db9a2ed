SELECT json_quote(max(version)) FROM _sqlx_migrations
