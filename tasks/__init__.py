"""One effect each: open, ask a rule, record, close. A task's parameters and results are ids, periods and counts."""
