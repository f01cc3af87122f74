"""What follows from a plan: calendars, periods, deadlines, ladders, progress, identity, ownership.

Everything here is pure: no clock, no file, no SQL, no Prefect. A moment in time is always a parameter, so that every
answer of the past can be worked out again.
"""
