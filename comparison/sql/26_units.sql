-- Which employer each row of a register belongs to: by credit code; else by the 15-digit old number, of which a tax number
-- holds the place and organisation letters of the credit code (characters 3 to 17); else by the core of its name and the
-- township, only where one employer alone bears it and nothing else contradicts; the rest is for a person to decide.
-- In: every feed of employers (with its _doubtful rows), and those of projects and persons whose rows name an employer. Out: units (one row per employer), unit_keys (feed, code, name, township → credit_code, tier, rows).
CREATE MACRO core(name) AS {{core}};

CREATE TABLE told AS
{{told}};

CREATE TABLE coded AS
SELECT feed, code, name, other_name, township, rows FROM told WHERE length(code) = 18;

-- Known employers: those that a register of employers names by a credit code.
CREATE TABLE known AS
SELECT code AS credit_code, min(township) AS township
FROM coded WHERE feed IN ({{unit_feeds}}) GROUP BY code;

-- Each name once: registers say the same ones, and a core is costly.
CREATE TABLE named AS
SELECT name, core(name) AS core FROM (SELECT name FROM coded UNION SELECT other_name FROM coded);

-- All names under which an employer is on record anywhere: a rename leaves the old one in some register.
CREATE TABLE cores AS
SELECT DISTINCT credit_code, core, k.township
FROM known k JOIN (
    SELECT code, core FROM (SELECT code, name FROM coded UNION SELECT code, other_name FROM coded) JOIN named USING (name)
) c ON c.code = k.credit_code
WHERE length(core) >= {{core_at_least}};

CREATE TABLE uncoded AS
SELECT feed, code, name, township, sum(rows)::BIGINT AS rows, core(name) AS core
FROM told WHERE (code IS NULL OR length(code) <> 18) AND (code IS NOT NULL OR name IS NOT NULL) GROUP BY ALL;

CREATE TABLE candidates AS
WITH by_number AS (
    SELECT u.feed, u.code, u.name, u.township, k.credit_code
    FROM uncoded u JOIN known k ON u.code IN (substr(k.credit_code, 3, 15), substr(k.credit_code, 9, 9))
),
by_name AS (
    SELECT u.feed, u.code, u.name, u.township, c.credit_code,
           coalesce(c.township = u.township, true) AS is_near, count(*) OVER same_core AS bearers,
           count(*) FILTER (c.township = u.township) OVER same_core AS near_bearers
    FROM uncoded u JOIN cores c ON c.core = u.core
    WINDOW same_core AS (PARTITION BY u.feed, u.code, u.name, u.township)
)
SELECT feed, code, name, township, min(credit_code) AS credit_code, 'old_number' AS tier, count(DISTINCT credit_code) AS found
FROM by_number GROUP BY ALL
UNION ALL
SELECT feed, code, name, township,
       min(credit_code) FILTER (bearers = 1 OR (near_bearers = 1 AND is_near AND township IS NOT NULL)), 'name',
       CASE WHEN max(bearers) = 1 OR max(near_bearers) = 1 THEN 1 ELSE max(bearers) END
FROM by_name GROUP BY ALL;

-- Unique on both sides: a register of employers has one row for each, and one old number belongs to one employer.
CREATE TABLE settled AS
WITH best AS (
    SELECT * FROM candidates
    QUALIFY row_number() OVER (PARTITION BY feed, code, name, township ORDER BY tier = 'name') = 1
),
judged AS (
    SELECT b.*,
           count(*) OVER (PARTITION BY b.feed, b.credit_code) AS claims_in_feed,
           count(DISTINCT b.code) OVER (PARTITION BY b.credit_code) AS old_numbers,
           b.feed IN ({{unit_feeds}})
             AND EXISTS (FROM coded c WHERE c.feed = b.feed AND c.code = b.credit_code) AS has_row_of_its_own
    FROM best b
)
SELECT feed, code, name, township, credit_code,
       CASE WHEN found <> 1 OR credit_code IS NULL OR old_numbers > 1 OR has_row_of_its_own
                 OR (claims_in_feed > 1 AND feed IN ({{unit_feeds}}))
            THEN 'review' ELSE tier END AS tier
FROM judged;

-- An employer whom the register of employers knows by an old number only is one all the same, under that number.
CREATE TABLE units AS
SELECT credit_code, township FROM known
UNION ALL BY NAME
SELECT u.code AS credit_code, min(u.township) AS township
FROM uncoded u LEFT JOIN settled s ON s.feed = u.feed AND s.code IS NOT DISTINCT FROM u.code
     AND s.name IS NOT DISTINCT FROM u.name AND s.township IS NOT DISTINCT FROM u.township
WHERE u.feed = 'employers' AND u.code IS NOT NULL AND coalesce(s.tier, 'unlinked') = 'unlinked'
GROUP BY u.code;

CREATE TABLE unit_keys AS
SELECT c.feed, c.code, NULL::VARCHAR AS name, c.township, u.credit_code,
       CASE WHEN u.credit_code IS NULL THEN 'unlinked' ELSE 'exact' END AS tier, c.rows
FROM coded c LEFT JOIN units u ON u.credit_code = c.code
UNION ALL
SELECT u.feed, u.code, u.name, u.township, CASE WHEN s.tier = 'review' THEN NULL ELSE coalesce(s.credit_code, o.credit_code) END,
       coalesce(s.tier, CASE WHEN o.credit_code IS NULL THEN 'unlinked' ELSE 'old_number' END), u.rows
FROM uncoded u
LEFT JOIN settled s ON s.feed = u.feed AND s.code IS NOT DISTINCT FROM u.code
     AND s.name IS NOT DISTINCT FROM u.name AND s.township IS NOT DISTINCT FROM u.township
LEFT JOIN units o ON o.credit_code = u.code
UNION ALL
SELECT feed, NULL, NULL, NULL, NULL, 'no_employer', sum(rows)::BIGINT
FROM told WHERE code IS NULL AND name IS NULL GROUP BY feed;
