SELECT to_json(least_known)::text FROM compatibility
