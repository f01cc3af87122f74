-- What every stage of the comparison uses. The tables of the feeds, from which a view is typed even where no file came, are made
-- from their contracts (comparison.registers.common_sql) after this; the engine unites each with this run's accepted snapshots
-- (and, as <feed>_doubtful, the rows that intake kept for matching only). A row is known by (feed, file, row_number, member):
-- `file` counts the feed's snapshots, for two providers may send files of one name; `member` counts the persons of a household's
-- line. id_given and id_fault are filled in doubtful rows alone: the number as it came, and why it is none.
-- Whether a doubtful row is in doubt about whose it is; else what it says cannot be read, and whose it is is certain.
CREATE MACRO is_about_person(id_fault) AS starts_with(id_fault, 'id_number') OR starts_with(id_fault, 'name');
-- The number without its check character, which follows from it: joined on, for it is smaller than text.
CREATE MACRO number_of(id_number) AS try_cast(left(id_number, 17) AS BIGINT);
-- The key of a person who has a number: that number, or beyond all numbers where it is of another kind (a passport).
CREATE MACRO person_of(id_number) AS
    coalesce(number_of(id_number), 2000000000000000000 + ('0x' || substr(md5(id_number), 1, 15))::BIGINT);
CREATE MACRO months_between(earlier, later) AS
    (left(later, 4)::INTEGER - left(earlier, 4)::INTEGER) * 12 + right(later, 2)::INTEGER - right(earlier, 2)::INTEGER;
CREATE SCHEMA feed;
