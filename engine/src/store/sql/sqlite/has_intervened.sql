-- ?1: what `interventions` said.
SELECT json_quote(number > ?1) FROM interventions
