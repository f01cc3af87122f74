-- How many keys the accepted rows have, how many an earlier snapshot has, and how many are in both. Keys are compared by
-- their hashes, made here and now by one function; a blank in a key is a value of its own.
-- In: rows, the snapshot. Out: one row: keys, held, shared.
WITH new_keys AS MATERIALIZED (SELECT DISTINCT hash({{key}}) AS key FROM rows WHERE outcome = 'accepted'),
held_keys AS MATERIALIZED (SELECT DISTINCT hash({{key}}) AS key FROM read_parquet('{{snapshot}}'))
SELECT (SELECT count(*) FROM new_keys), (SELECT count(*) FROM held_keys),
       (SELECT count(*) FROM new_keys SEMI JOIN held_keys USING (key));
