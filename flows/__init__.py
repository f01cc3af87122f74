"""A phase or a duty each: the order of tasks, and the only place where the clock is read."""
