"""What exists: the plan schema, the profile's vocabulary, tables, named queries, migrations, errors."""
