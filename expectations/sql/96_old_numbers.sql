-- Both numbers of each line of the police's table, made plain, and whether either is none. In: given(line, old, new), as it
-- was written. Out: one row per line: line, old, new, is_sound.
WITH plain AS (SELECT line, eighteen(plain_number(trim(old))) AS old, eighteen(plain_number(trim(new))) AS new FROM given)
SELECT line, old, new,
       old IS NOT NULL AND new IS NOT NULL AND number_fault(old, born(old)) IS NULL AND number_fault(new, born(new)) IS NULL
FROM plain ORDER BY line;
