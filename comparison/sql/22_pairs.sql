-- Which persons a residual row may be about, by its number: tiers 0 and 1. One row of `pairs` is one row of a register and
-- one person, with how they came together; whether they belong together is decided in 25_identity.
-- In: asked (the residual rows, each with its row_id), people, old_numbers(old, new).
-- Out: pairs(row_id, person, how).

CREATE MACRO weight(place) AS [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2][place];
-- What 1 / weight is modulo 11: a wrong digit is worked out, not tried (GB 11643).
CREATE MACRO inverse(place) AS [8, 5, 10, 9, 7, 3, 6, 1, 2, 4, 8, 5, 10, 9, 7, 3, 6][place];
CREATE MACRO digit_at(x, place) AS ascii(substr(x, place, 1)) - 48;
CREATE MACRO weighed(body) AS (
      digit_at(body, 1) * 7 + digit_at(body, 2) * 9 + digit_at(body, 3) * 10 + digit_at(body, 4) * 5
    + digit_at(body, 5) * 8 + digit_at(body, 6) * 4 + digit_at(body, 7) * 2 + digit_at(body, 8)
    + digit_at(body, 9) * 6 + digit_at(body, 10) * 3 + digit_at(body, 11) * 7 + digit_at(body, 12) * 9
    + digit_at(body, 13) * 10 + digit_at(body, 14) * 5 + digit_at(body, 15) * 8 + digit_at(body, 16) * 4
    + digit_at(body, 17) * 2);
CREATE MACRO asks_for(letter) AS strpos('10X98765432', letter) - 1;
CREATE MACRO is_number(x) AS CASE WHEN regexp_full_match(x, '[1-9][0-9]{16}[0-9X]')
    THEN weighed(x) % 11 = asks_for(right(x, 1)) ELSE false END;

-- What was given for a number, row by row, and person by person where the population's own is in doubt (key < 0).
-- `number` is set when it is one, whatever else is the matter (two names on it, no name); else `digits` is what is left of
-- it without letters that stand for digits.
CREATE TABLE given AS
SELECT *, CASE WHEN is_number(id_given) THEN number_of(id_given) END AS number,
       CASE WHEN NOT is_number(id_given)
            THEN regexp_replace(translate(upper(id_given), '{{letters_for_digits}}', '{{digits}}'), '[^0-9X]', '', 'g')
       END AS digits
FROM (SELECT row_id AS key, coalesce(id_number, id_given) AS id_given, id_fault FROM asked
      UNION ALL SELECT person, id_number, NULL FROM people WHERE person < 0);

CREATE TABLE holders AS
SELECT g.key AS row_id, p.person FROM given g JOIN people p ON p.number = g.number WHERE g.key > 0;

-- Tier 1: the numbers that one slip of the hand, of the scanner or of Excel makes the given one of. They are worked out
-- from the check letter and looked up: what nobody has falls away at once.
CREATE TABLE repairs AS
WITH garbled AS (SELECT key, digits, left(digits, 17) AS body FROM given WHERE digits <> ''),
shaped AS (
    -- off: by how much the weighed sum misses what the check letter asks for.
    SELECT *, (asks_for(right(digits, 1)) - weighed(body)) % 11 AS off
    FROM garbled WHERE regexp_full_match(digits, '[0-9]{17}[0-9X]')
),
places AS (SELECT unnest(range(1, 18))::INTEGER AS place),
substituted AS (
    SELECT key, body, place, digit, ((off + weight(place) * digit) % 11 + 11) * inverse(place) % 11 AS right_digit
    FROM (SELECT *, digit_at(body, place) AS digit FROM shaped, places)
),
swapped AS (
    -- Two neighbours among the first seventeen; the last two change places with the check letter below.
    SELECT key, number_of(body) + (next - digit) * 9 * power(10, 16 - place)::BIGINT AS number
    FROM (SELECT *, digit_at(body, place) AS digit, digit_at(body, place + 1) AS next FROM shaped, places WHERE place < 17)
    WHERE next <> digit AND ((weight(place) - weight(place + 1)) * (next - digit) - off) % 11 = 0
),
swapped_last AS (SELECT key, left(digits, 16) || right(digits, 1) || substr(digits, 17, 1) AS digits FROM shaped),
shortened AS (SELECT key, digits, body, right(digits, 1) AS letter, left(digits, 16) AS rest FROM garbled
              WHERE regexp_full_match(digits, '[0-9]{16}[0-9X]')),
inserted AS (
    SELECT key, rest, place, left(rest, place - 1) || '0' || substr(rest, place) AS body, letter FROM shortened, places
),
lengthened AS (
    SELECT key, left(digits, place - 1) || substr(digits, place + 1) AS digits
    FROM (FROM garbled WHERE length(digits) = 19), (SELECT unnest(range(1, 20))::INTEGER AS place)
)
SELECT key, number_of(body) AS number, 'letters' AS how FROM shaped WHERE off = 0
UNION ALL
SELECT key, number_of(body) + (right_digit - digit) * power(10, 17 - place)::BIGINT, 'wrong_digit'
FROM substituted WHERE right_digit BETWEEN 0 AND 9 AND right_digit <> digit
UNION ALL SELECT key, number_of(body), 'wrong_check_letter' FROM shaped WHERE off <> 0
UNION ALL SELECT key, number, 'swapped' FROM swapped
UNION ALL SELECT key, number_of(digits), 'swapped' FROM swapped_last WHERE is_number(digits)
UNION ALL
SELECT key, number_of(body) + missing * power(10, 17 - place)::BIGINT, 'missing_digit'
FROM (SELECT *, ((asks_for(letter) - weighed(body)) % 11 + 11) * inverse(place) % 11 AS missing FROM inserted)
WHERE missing BETWEEN 0 AND 9
UNION ALL SELECT key, number_of(body), 'missing_digit' FROM shortened WHERE letter <> 'X'
UNION ALL SELECT key, number_of(digits), 'extra_digit' FROM lengthened WHERE is_number(digits);

CREATE TABLE pairs AS
WITH unheld AS (FROM given ANTI JOIN holders ON row_id = key),
rows AS (FROM unheld WHERE key > 0),
renewed AS (
    SELECT r.key AS row_id, p.person, 'old_number' AS how
    FROM rows r JOIN old_numbers o ON o.old = r.number JOIN people p ON p.number = o.new
),
mended AS (
    SELECT key AS row_id, p.person, min(how) AS how
    FROM repairs r JOIN people p ON p.number = r.number WHERE key > 0 GROUP BY ALL
),
-- Excel keeps 15 digits: area, birth and the first of the serial (domain.md, Identity).
cut AS (
    SELECT r.key AS row_id, p.person, 'lost_digits' AS how
    FROM (FROM rows WHERE regexp_full_match(digits, '[0-9]{15}000')) r
    JOIN people p ON p.number // 100 = left(r.digits, 15)::BIGINT
),
-- A birthday that no calendar has: area, year and serial are left.
misborn AS (
    SELECT r.key AS row_id, p.person, 'birth_day' AS how
    FROM (FROM rows WHERE id_fault = 'id_number_birth_date' AND length(id_given) = 18) r
    JOIN people p ON p.number // 10000000 = left(r.id_given, 10)::BIGINT AND p.number % 1000 = substr(r.id_given, 15, 3)::BIGINT
),
-- A sound number that nobody has, and somebody of like name, born that day: one person with two numbers, or two digits
-- wrong so that the check letter does not see it ('unseen_digits': letter and sex are the same). Neighbours in the serial,
-- whose letters differ, are mostly two persons of one birthday. First digits of a number are the area, the last eleven birth
-- and serial.
close AS (
    SELECT r.key AS row_id, p.person, CASE WHEN r.number % 100000000000 = p.number % 100000000000 THEN 'other_area'
                                           WHEN r.number % 2 = p.number % 2 AND right(r.id_given, 1) = right(p.id_number, 1)
                                           THEN 'unseen_digits' ELSE 'close_number' END AS how
    FROM (SELECT key, number, rows.id_given, a.name FROM rows JOIN asked a ON a.row_id = key WHERE number IS NOT NULL) r
    JOIN people p ON p.number // 1000 % 100000000 = r.number // 1000 % 100000000 AND left(p.name, 1) = left(r.name, 1)
    WHERE r.number % 100000000000 = p.number % 100000000000
       OR list_sum(list_transform(range(0, 17), lambda i: (r.number // power(10, i)::BIGINT % 10
                   <> p.number // power(10, i)::BIGINT % 10)::INTEGER)) <= {{digits_apart}}
),
-- The register's number is whole and the population's is not: the same slips, seen from the other side.
corroborated AS (
    SELECT r.key AS row_id, d.key AS person, 'shared_number' AS how
    FROM (FROM unheld WHERE key < 0 AND number IS NOT NULL) d JOIN rows r ON r.number = d.number
    UNION ALL
    SELECT r.key, d.key, 'corroborated' FROM (FROM repairs WHERE key < 0) d JOIN rows r ON r.number = d.number
    UNION ALL
    SELECT r.key, d.key, 'corroborated'
    FROM (FROM unheld WHERE key < 0 AND regexp_full_match(id_given, '[0-9]{17}[0-9X]')) d
    JOIN rows r ON r.number // 10000000 = left(d.id_given, 10)::BIGINT AND r.number % 1000 = substr(d.id_given, 15, 3)::BIGINT
    WHERE try_strptime(substr(d.id_given, 7, 8), '%Y%m%d') IS NULL
    UNION ALL
    -- The population has another's number, or none, on the person: then name, birthday and sex must do.
    SELECT r.key, p.person, 'namesake_in_doubt'
    FROM (FROM people WHERE person < 0 AND birth_date IS NOT NULL) p
    JOIN (SELECT key, number, a.name FROM rows JOIN asked a ON a.row_id = key WHERE number IS NOT NULL) r
        ON strftime(p.birth_date, '%Y%m%d')::BIGINT = r.number // 1000 % 100000000 AND left(p.name, 1) = left(r.name, 1)
    WHERE CASE WHEN r.number % 2 = 1 THEN 'M' ELSE 'F' END = coalesce(p.sex, CASE WHEN r.number % 2 = 1 THEN 'M' ELSE 'F' END)
),
-- The population has no number of the person's own (none, or somebody else's) and no birthday: then everything that registers
-- say of one unheld number must fit one such person: the name, and the township wherever it is told. Where no register tells
-- one, the name must be so rare that hardly anybody from elsewhere bears it.
nameless AS (
    SELECT d.person, name_core(d.name) AS core, d.name, d.township, g.number
    FROM people d JOIN given g ON g.key = d.person
    WHERE d.person < 0 AND d.birth_date IS NULL AND (coalesce(g.digits, '') = '' OR g.number IS NOT NULL)
),
numbered AS (
    SELECT key, number, name_core(a.name) AS core, a.township FROM rows JOIN asked a ON a.row_id = key WHERE number IS NOT NULL
),
strangers AS (SELECT count(DISTINCT number) / (SELECT count(*) FROM people) AS per_person FROM numbered),
unnumbered AS (
    SELECT r.key AS row_id, p.person, 'unnumbered' AS how
    FROM (SELECT n.*, b.bearers * strangers.per_person <= {{strangers_of_the_name}} AS is_rare
          FROM strangers, nameless n
          JOIN (SELECT name, count(*) AS bearers FROM people SEMI JOIN nameless USING (name) GROUP BY name) b USING (name)
          -- A number on which two stand is the person's own where a register has it under the same name.
          ANTI JOIN numbered own ON own.number = n.number AND own.core = n.core) p
    JOIN numbered r USING (core)
    QUALIFY count(DISTINCT r.number) OVER (PARTITION BY p.person) = 1 AND count(DISTINCT p.person) OVER (PARTITION BY r.number) = 1
        AND coalesce(bool_and(r.township = p.township) OVER (PARTITION BY p.person), p.is_rare)
)
SELECT row_id, person, 'number' AS how FROM holders UNION ALL FROM renewed UNION ALL FROM mended UNION ALL FROM cut
UNION ALL FROM misborn UNION ALL FROM close
UNION ALL FROM corroborated UNION ALL FROM unnumbered;
