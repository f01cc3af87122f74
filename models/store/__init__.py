"""Named queries over the record: the only place outside ``comparison/sql`` where SQL is written.

Every function takes the open connection of its caller's transaction, so that what belongs together is recorded
together. All writes are idempotent by unique keys.
"""
