-- In PostgreSQL and in SQLite, as all statements of this folder. What stands in braces is the table's quoted name, and columns that a table
-- of one's own may lack. Ordered, so that of two with one name it is always the same who counts.
SELECT CAST(id AS TEXT), CAST(username AS TEXT), {email}, {first_name}, {last_name}
FROM {table}
ORDER BY id
