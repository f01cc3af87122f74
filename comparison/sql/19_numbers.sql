-- Tier 0, first half: which rows of the registers do not bear number and name of one person. All registers are asked in one
-- query, for it is the people that are costly to look up in.
-- In: people, every register. Out: apart_<feed>(file, row_number, member), one row per row that is to be looked into.
CREATE TABLE apart AS
FROM (
    {{rows}}
) ANTI JOIN (SELECT number AS person, name FROM people WHERE number IS NOT NULL) USING (person, name);

{{parted}}
