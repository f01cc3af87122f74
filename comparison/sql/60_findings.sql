-- The lists of the plan, each subject with one lead owner, co-owners and the evidence a clerk can check.
-- In: the three profiles. Out: findings, one row per list and subject. An owner nobody names goes to the owner of last
-- resort: no orphan.
-- The profile is read once: who stands on any list, with the evidence, which is the same on each; the lists choose from
-- these.
{{listed}}

CREATE VIEW findings AS
{{findings}};
