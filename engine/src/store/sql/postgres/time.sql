SELECT to_json((extract(epoch FROM clock_timestamp()) * 1000)::bigint)::text
