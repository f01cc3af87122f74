-- What the expectations look at: one row per row that is neither footer nor blank, states instead of values
-- (null = blank, 1 = as it came, 2 = repaired, 3 = unreadable) and no person's data. key_of_row is the hash of the key;
-- a quarantined row, whose key may be unknown, has a number of its own.
-- In: rows. Out: the frame.
SELECT CASE WHEN outcome = 'quarantined' THEN -(row_number * 16384 + member) ELSE CAST(hash({{key}}) >> 1 AS BIGINT) END AS key_of_row
       {{states}}
FROM rows WHERE outcome <> 'dropped';
