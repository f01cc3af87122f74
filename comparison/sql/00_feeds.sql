-- The shape of every feed, so that a view of it is typed even where no file came. The engine unites each with this run's
-- accepted snapshots (and, as <feed>_doubtful, the rows that intake kept for matching only).
-- Columns as in the contracts (expectations/contracts). A row is known by (feed, file, row_number, member): `file` counts the
-- feed's snapshots, for two providers may send files of one name; `member` counts the persons of a household's line.
-- id_given and id_fault are filled in doubtful rows alone: the number as it came, and why it is none.
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
CREATE TABLE feed.population (file INTEGER, source_file VARCHAR, row_number BIGINT, member INTEGER, id_given VARCHAR, id_fault VARCHAR, id_number VARCHAR, name VARCHAR, sex VARCHAR, birth_date DATE, hukou_type VARCHAR, household_no VARCHAR, township VARCHAR, village VARCHAR, address VARCHAR, phone VARCHAR, status VARCHAR, status_date DATE);
CREATE TABLE feed.residence_permits (file INTEGER, source_file VARCHAR, row_number BIGINT, member INTEGER, id_given VARCHAR, id_fault VARCHAR, id_number VARCHAR, name VARCHAR, sex VARCHAR, permit_no VARCHAR, valid_to DATE, township VARCHAR, village VARCHAR, phone VARCHAR);
CREATE TABLE feed.deaths (file INTEGER, source_file VARCHAR, row_number BIGINT, member INTEGER, id_given VARCHAR, id_fault VARCHAR, id_number VARCHAR, name VARCHAR, death_date DATE, township VARCHAR);
CREATE TABLE feed.newborns (file INTEGER, source_file VARCHAR, row_number BIGINT, member INTEGER, id_given VARCHAR, id_fault VARCHAR, id_number VARCHAR, name VARCHAR, birth_date DATE, mother_name VARCHAR, mother_id_number VARCHAR, township VARCHAR);
CREATE TABLE feed.students (file INTEGER, source_file VARCHAR, row_number BIGINT, member INTEGER, id_given VARCHAR, id_fault VARCHAR, id_number VARCHAR, name VARCHAR, school VARCHAR, status VARCHAR);
CREATE TABLE feed.hardship (file INTEGER, source_file VARCHAR, row_number BIGINT, member INTEGER, id_given VARCHAR, id_fault VARCHAR, id_number VARCHAR, name VARCHAR, kind VARCHAR, household_no VARCHAR, township VARCHAR);
CREATE TABLE feed.poverty (file INTEGER, source_file VARCHAR, row_number BIGINT, member INTEGER, id_given VARCHAR, id_fault VARCHAR, id_number VARCHAR, name VARCHAR, kind VARCHAR, household_no VARCHAR, township VARCHAR);
CREATE TABLE feed.disability (file INTEGER, source_file VARCHAR, row_number BIGINT, member INTEGER, id_given VARCHAR, id_fault VARCHAR, id_number VARCHAR, name VARCHAR, certificate_no VARCHAR, grade VARCHAR, township VARCHAR);
CREATE TABLE feed.employment (file INTEGER, source_file VARCHAR, row_number BIGINT, member INTEGER, id_given VARCHAR, id_fault VARCHAR, id_number VARCHAR, name VARCHAR, employer_code VARCHAR, employer_name VARCHAR, month VARCHAR, since DATE);
CREATE TABLE feed.employee_pension (file INTEGER, source_file VARCHAR, row_number BIGINT, member INTEGER, id_given VARCHAR, id_fault VARCHAR, id_number VARCHAR, name VARCHAR, employer_code VARCHAR, employer_name VARCHAR, status VARCHAR, enrolled_on DATE, last_paid_month VARCHAR);
CREATE TABLE feed.institution_pension AS FROM feed.employee_pension;
CREATE TABLE feed.employee_medical AS FROM feed.employee_pension;
CREATE TABLE feed.unemployment AS FROM feed.employee_pension;
CREATE TABLE feed.work_injury AS FROM feed.employee_pension;
CREATE TABLE feed.maternity AS FROM feed.employee_pension;
CREATE TABLE feed.resident_pension (file INTEGER, source_file VARCHAR, row_number BIGINT, member INTEGER, id_given VARCHAR, id_fault VARCHAR, id_number VARCHAR, name VARCHAR, township VARCHAR, village VARCHAR, status VARCHAR, enrolled_on DATE, last_paid_month VARCHAR, tier_yuan DOUBLE, paid_yuan DOUBLE, ended_on DATE, end_reason VARCHAR);
CREATE TABLE feed.resident_medical (file INTEGER, source_file VARCHAR, row_number BIGINT, member INTEGER, id_given VARCHAR, id_fault VARCHAR, id_number VARCHAR, name VARCHAR, township VARCHAR, status VARCHAR, enrolled_on DATE, last_paid_month VARCHAR, paid_yuan DOUBLE);
CREATE TABLE feed.benefits (file INTEGER, source_file VARCHAR, row_number BIGINT, member INTEGER, id_given VARCHAR, id_fault VARCHAR, id_number VARCHAR, name VARCHAR, scheme VARCHAR, status VARCHAR, monthly_yuan DOUBLE);
CREATE TABLE feed.cards (file INTEGER, source_file VARCHAR, row_number BIGINT, member INTEGER, id_given VARCHAR, id_fault VARCHAR, id_number VARCHAR, name VARCHAR, status VARCHAR);
CREATE TABLE feed.employers (file INTEGER, source_file VARCHAR, row_number BIGINT, member INTEGER, id_given VARCHAR, id_fault VARCHAR, credit_code VARCHAR, name VARCHAR, kind VARCHAR, status VARCHAR, registered_on DATE, township VARCHAR, address VARCHAR, phone VARCHAR, employees BIGINT);
CREATE TABLE feed.tax_units (file INTEGER, source_file VARCHAR, row_number BIGINT, member INTEGER, id_given VARCHAR, id_fault VARCHAR, credit_code VARCHAR, name VARCHAR, last_taxed_month VARCHAR, withholding_employees BIGINT, township VARCHAR);
CREATE TABLE feed.construction_projects (file INTEGER, source_file VARCHAR, row_number BIGINT, member INTEGER, permit_no VARCHAR, name VARCHAR, employer_code VARCHAR, employer_name VARCHAR, department VARCHAR, township VARCHAR, started_on DATE, work_injury_insured VARCHAR, insured_on DATE);
CREATE TABLE feed.dust_hazard_employers (file INTEGER, source_file VARCHAR, row_number BIGINT, member INTEGER, id_given VARCHAR, id_fault VARCHAR, credit_code VARCHAR, name VARCHAR, exposed_workers BIGINT, township VARCHAR);
CREATE TABLE feed.statistics (file INTEGER, source_file VARCHAR, row_number BIGINT, member INTEGER, indicator VARCHAR, region VARCHAR, year BIGINT, value DOUBLE, unit VARCHAR, source_document VARCHAR);
