-- What the residual model's weights come to, row by row. Exactly one of three is so: the row is about one of the persons
-- asked about, about somebody in the population whom nobody thought of, or about somebody from elsewhere. The weights of
-- all answers to a row are therefore weighed against each other, and against a register's usual share of strangers.
-- In: answers(row_id, person, weight), company_weight, wanted, room, settled, open_pairs. Adds to settled and open_pairs.
CREATE TABLE likely AS
WITH odds AS (
    SELECT a.row_id, a.person, w.feed, w.only_shown, power(2, a.weight + coalesce(c.weight, 0)) * (1 - r.elsewhere) / r.persons AS odds,
           r.elsewhere + (1 - r.elsewhere) * {{not_thought_of}} AS otherwise
    FROM answers a JOIN wanted w USING (row_id) JOIN room r USING (feed) LEFT JOIN company_weight c USING (row_id, person)
)
SELECT row_id, person, feed, only_shown, odds / (sum(odds) OVER (PARTITION BY row_id) + otherwise) AS likelihood FROM odds;

CREATE TABLE probable AS
SELECT * FROM likely
WHERE likelihood >= {{automatic_from}} AND NOT only_shown AND feed NOT IN ({{never_automatic}})
QUALIFY count(*) OVER (PARTITION BY feed, person) = 1 OR feed IN ({{several_rows}});

INSERT INTO settled
SELECT row_id, person, 'probable', likelihood, CASE WHEN id_number IS NULL AND number IS NULL THEN 'residual_model' ELSE 'number_of_stranger' END
FROM probable JOIN asked USING (row_id) JOIN given ON key = row_id;
INSERT INTO open_pairs
SELECT row_id, person, 'likeness', '', likelihood, 'likeness'
FROM likely ANTI JOIN settled USING (row_id)
WHERE likelihood >= {{review_from}};
