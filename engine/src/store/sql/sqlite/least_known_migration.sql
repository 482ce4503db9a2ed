SELECT json_quote(least_known) FROM compatibility
