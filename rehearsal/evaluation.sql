-- A comparison run held against the truth of a synthetic place. In: link (a file of links_of's columns), people, finding,
-- identity_case, truth_link, truth_person, truth_list. Out: whois, judged_link, judged_finding, missed_finding.

-- Who each person of the run truly is: a population row whose number was misspelt is known by what stood in the file.
CREATE MACRO plain(x) AS upper(regexp_replace(coalesce(x, ''), '[^0-9Xx]', '', 'g'));
CREATE MACRO letters(x) AS regexp_replace(coalesce(x, ''), '[^\p{L}]', '', 'g');
CREATE TABLE whois AS
WITH told AS (
    SELECT plain(id_number_written) AS written, letters(name_written) AS name, any_value(id_number) AS truly
    FROM truth_link WHERE feed IN ('population', 'residence_permits') GROUP BY ALL
)
SELECT p.person_id, coalesce(t.truly, p.id_number) AS truly
FROM people p LEFT JOIN told t ON t.written = plain(p.id_number) AND t.name = letters(p.name);

-- Every register row that the run received; it can be linked if the run knows its true person, whose own row in the
-- population register may have been returned or quarantined.
CREATE TABLE judged_link AS
SELECT l.feed, l.tier, l.person_id IS NOT NULL AS is_linked, coalesce(w.truly = t.id_number, false) AS is_right,
       p.id_number IS NOT NULL AND p.id_number IN (SELECT truly FROM whois) AS is_linkable, coalesce(p.has_dotted_name, false) AS is_minority,
       coalesce(p.age_years >= 60, false) AS is_old, coalesce(p.age_years < 16, false) AS is_young,
       coalesce(p.is_permit_holder, false) AS is_permit_holder
FROM link l
JOIN truth_link t ON t.feed = l.feed AND t.source_file = l.source_file AND t.row_number = l.row_number AND t.member = l.member
LEFT JOIN whois w ON w.person_id = l.person_id
LEFT JOIN truth_person p ON p.id_number = t.id_number;

CREATE TABLE judged_finding AS
SELECT DISTINCT f.list, coalesce(w.truly, f.id_number) AS subject, t.id_number IS NOT NULL AS is_right
FROM finding f LEFT JOIN whois w ON w.person_id = f.subject
LEFT JOIN truth_list t ON t.list = f.list AND t.id_number = coalesce(w.truly, f.id_number);

CREATE TABLE missed_finding AS
SELECT t.list, t.id_number FROM truth_list t
ANTI JOIN judged_finding f ON f.list = t.list AND f.subject = t.id_number;
