"""What people hold in their hands: rosters, report forms, bulletins, the acceptance report and the handbook.

Each writer takes a frozen value from ``documents.model`` and a path, and reads nothing else: no database, no clock.
The same value gives the same bytes on the same machine, so that a document can be told apart by its hash.
"""
