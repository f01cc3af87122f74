-- The lists of the plan, each subject with one lead owner, co-owners and the evidence a clerk can check.
-- In: the three profiles. Out: findings, one row per list and subject. An owner nobody names goes to the owner of last
-- resort: no orphan.
CREATE TABLE findings AS
{{findings}};
