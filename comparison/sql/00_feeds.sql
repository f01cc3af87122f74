-- One view per feed over this run's accepted snapshots, typed even where a feed did not come.
-- In: {{source:<feed>}} is the engine's read_parquet(...) of that feed's snapshots, or an empty set.
-- Out: views named like the feeds; columns as in the contracts (expectations/contracts), plus row_number, source_file.
CREATE SCHEMA feed;
CREATE TABLE feed.population (row_number BIGINT, source_file VARCHAR, id_number VARCHAR, name VARCHAR, sex VARCHAR, birth_date DATE, hukou_type VARCHAR, household_no VARCHAR, township VARCHAR, village VARCHAR, address VARCHAR, phone VARCHAR, status VARCHAR, status_date DATE);
CREATE TABLE feed.residence_permits (row_number BIGINT, source_file VARCHAR, id_number VARCHAR, name VARCHAR, sex VARCHAR, permit_no VARCHAR, valid_to DATE, township VARCHAR, village VARCHAR, origin VARCHAR, phone VARCHAR);
CREATE TABLE feed.deaths (row_number BIGINT, source_file VARCHAR, id_number VARCHAR, name VARCHAR, death_date DATE, reported_by VARCHAR, township VARCHAR);
CREATE TABLE feed.newborns (row_number BIGINT, source_file VARCHAR, id_number VARCHAR, name VARCHAR, birth_date DATE, mother_name VARCHAR, mother_id_number VARCHAR, township VARCHAR);
CREATE TABLE feed.students (row_number BIGINT, source_file VARCHAR, id_number VARCHAR, name VARCHAR, school VARCHAR, stage VARCHAR, status VARCHAR, enrolled_from DATE);
CREATE TABLE feed.hardship (row_number BIGINT, source_file VARCHAR, id_number VARCHAR, name VARCHAR, kind VARCHAR, household_no VARCHAR, township VARCHAR, valid_from DATE);
CREATE TABLE feed.poverty (row_number BIGINT, source_file VARCHAR, id_number VARCHAR, name VARCHAR, kind VARCHAR, household_no VARCHAR, township VARCHAR);
CREATE TABLE feed.disability (row_number BIGINT, source_file VARCHAR, id_number VARCHAR, name VARCHAR, certificate_no VARCHAR, category VARCHAR, grade VARCHAR, township VARCHAR);
CREATE TABLE feed.employment (row_number BIGINT, source_file VARCHAR, id_number VARCHAR, name VARCHAR, employer_code VARCHAR, employer_name VARCHAR, month VARCHAR, since DATE);
CREATE TABLE feed.employee_pension (row_number BIGINT, source_file VARCHAR, id_number VARCHAR, name VARCHAR, employer_code VARCHAR, employer_name VARCHAR, status VARCHAR, enrolled_on DATE, last_paid_month VARCHAR, base_yuan DOUBLE);
CREATE TABLE feed.institution_pension AS FROM feed.employee_pension;
CREATE TABLE feed.employee_medical AS FROM feed.employee_pension;
CREATE TABLE feed.unemployment AS FROM feed.employee_pension;
CREATE TABLE feed.work_injury AS FROM feed.employee_pension;
CREATE TABLE feed.maternity AS FROM feed.employee_pension;
CREATE TABLE feed.resident_pension (row_number BIGINT, source_file VARCHAR, id_number VARCHAR, name VARCHAR, township VARCHAR, village VARCHAR, status VARCHAR, enrolled_on DATE, last_paid_month VARCHAR, tier_yuan DOUBLE, paid_yuan DOUBLE, ended_on DATE, end_reason VARCHAR);
CREATE TABLE feed.resident_medical (row_number BIGINT, source_file VARCHAR, id_number VARCHAR, name VARCHAR, township VARCHAR, status VARCHAR, enrolled_on DATE, last_paid_month VARCHAR, paid_yuan DOUBLE);
CREATE TABLE feed.benefits (row_number BIGINT, source_file VARCHAR, id_number VARCHAR, name VARCHAR, scheme VARCHAR, status VARCHAR, monthly_yuan DOUBLE, first_paid_month VARCHAR);
CREATE TABLE feed.cards (row_number BIGINT, source_file VARCHAR, id_number VARCHAR, name VARCHAR, status VARCHAR, issued_on DATE);
CREATE TABLE feed.employers (row_number BIGINT, source_file VARCHAR, credit_code VARCHAR, name VARCHAR, kind VARCHAR, status VARCHAR, registered_on DATE, township VARCHAR, address VARCHAR, phone VARCHAR, employees BIGINT);
CREATE TABLE feed.tax_units (row_number BIGINT, source_file VARCHAR, credit_code VARCHAR, name VARCHAR, last_taxed_month VARCHAR, withholding_employees BIGINT, township VARCHAR);
CREATE TABLE feed.construction_projects (row_number BIGINT, source_file VARCHAR, permit_no VARCHAR, name VARCHAR, employer_code VARCHAR, employer_name VARCHAR, department VARCHAR, township VARCHAR, started_on DATE, work_injury_insured VARCHAR, insured_on DATE);
CREATE TABLE feed.dust_hazard_employers (row_number BIGINT, source_file VARCHAR, credit_code VARCHAR, name VARCHAR, industry VARCHAR, exposed_workers BIGINT, township VARCHAR);
CREATE TABLE feed.statistics (row_number BIGINT, source_file VARCHAR, indicator VARCHAR, region VARCHAR, year BIGINT, value DOUBLE, unit VARCHAR, source_document VARCHAR);
