SELECT json_quote(number) FROM interventions
