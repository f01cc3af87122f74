-- One row per row of the file (of a line that holds a household, one per member): every cell read, its fault and its
-- repair beside it, and the first reason why the row cannot be used as it stands. A row whose number looks like one is
-- never taken for a footer. A row whose number stands in a column of something else has shifted (domain.md 30), unless
-- number and name have just changed places (29). A failed formula makes any row doubtful (44).
-- In: raw (with what soundness.py tells of its cells: <column>_sound, <column>_plain), found_header(column_name, text), read_<column> for every column that is neither number, name nor text.
-- Out: judged(row_number, member, dropped, reason, <column>, <column>_fault, <column>_repair, …).
CREATE TEMP TABLE judged AS
WITH placed AS (
    SELECT raw.*,
           CASE WHEN {{is_plausible}} OR NOT may_be_foot(concat_ws('|', {{foot_cells}})) THEN NULL
                ELSE squeeze(concat_ws('|', {{foot_cells}})) END AS foot_cells,
           CASE WHEN {{is_plausible}} THEN NULL ELSE concat_ws('|', {{all_cells}}) END AS other_cells,
           CASE WHEN {{is_plausible}} THEN false ELSE {{is_shifted}} END AS is_shifted,
           trim({{heading_cell}}) = (SELECT text FROM found_header WHERE column_name = '{{heading}}') AS repeats_header
           {{tidied}}{{plain_numbers}}
    FROM raw
),
long AS (
    SELECT * REPLACE (coalesce(row_fault, CASE WHEN is_shifted THEN 'shifted_columns' END) AS row_fault),
           CASE WHEN repeats_header THEN 'header'
                WHEN foot_cells IS NOT NULL AND foot_of(foot_cells) IS NOT NULL THEN foot_of(foot_cells)
                WHEN NOT regexp_matches(other_cells, '[^\p{Z}\p{C}|]') THEN 'blank' END AS dropped
           {{joined_names}}{{final_numbers}}
    FROM placed
),
dated AS (SELECT *{{births}} FROM long),
checked AS (SELECT *{{number_faults}} FROM dated),
read AS (
    SELECT c.row_number, c.member, c.row_fault, c.dropped, {{failed_formulas}} AS has_failed_formula{{readings}}
    FROM checked c
    {{joins}}
),
agreed AS (SELECT * {{replacements}}{{agreements}} FROM read)
SELECT * REPLACE ({{kinds}}), CASE WHEN dropped IS NULL THEN coalesce(row_fault{{reasons}}, CASE WHEN has_failed_formula THEN 'failed_formula' END) END AS reason
FROM agreed;
