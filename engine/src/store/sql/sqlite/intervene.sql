-- For what no trigger sees. ?1: the time.
UPDATE interventions SET number = number + 1, at = ?1
