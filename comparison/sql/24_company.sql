-- In what company people stand in registers: with which others a register goes together, counted among this run's own
-- exact links. Who is insured as a resident is seldom insured as an employee too: that tells namesakes apart.
-- In: people, questions, asked, stands(person, bit) for the sample and the persons asked about, groups(feed, mask).
-- Out: company_weight(row_id, person, weight): log2 of how much likelier this company is for those in the register.
CREATE TABLE company AS
SELECT p.person, coalesce(bit_or(1::BIGINT << s.bit), 0) AS registers, len(list_filter({{ages}}, lambda age:
           age <= date_diff('year', any_value(p.birth_date), getvariable('period_end')))) AS age_band
FROM people p LEFT JOIN stands s USING (person)
WHERE hash(p.person) % {{every}} = 0 OR p.person IN (SELECT person FROM questions)
GROUP BY p.person;

CREATE TABLE company_weight AS
WITH sampled AS (
    SELECT g.feed, c.registers & g.mask <> 0 AS is_in, c.registers & ~g.mask AS others, c.age_band
    FROM (FROM company WHERE hash(person) % {{every}} = 0) c, groups g
),
counted AS (
    SELECT feed, others, age_band, count(*) FILTER (WHERE is_in) AS inside, count(*) FILTER (WHERE NOT is_in) AS outside
    FROM sampled GROUP BY ALL
),
weighed AS (
    -- A company that was never met is taken for as common inside as outside.
    SELECT *, log2(((inside + 0.5) / (sum(inside) OVER (PARTITION BY feed) + 1))
                   / ((outside + 0.5) / (sum(outside) OVER (PARTITION BY feed) + 1))) AS weight
    FROM counted
)
SELECT q.row_id, q.person, w.weight
FROM questions q JOIN asked a USING (row_id) JOIN company c USING (person) JOIN groups g ON g.feed = a.feed
JOIN weighed w ON w.feed = a.feed AND w.others = c.registers & ~g.mask AND w.age_band = c.age_band;
