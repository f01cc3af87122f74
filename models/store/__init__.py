"""Named queries over the record. SQL stands here, in ``comparison`` and in ``expectations/sql`` (decision 0006), nowhere else.

Every function takes the open connection of its caller's transaction, so that what belongs together is recorded
together. All writes are idempotent by unique keys.
"""
