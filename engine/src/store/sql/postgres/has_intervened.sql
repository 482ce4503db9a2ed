-- $1: what `interventions` said.
SELECT to_json(EXISTS (SELECT 1 FROM interventions WHERE transaction_id >= $1))::text
