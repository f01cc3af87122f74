"""The comparison: a plan's expressions, the SQL files that are read in order, and the engine that runs them."""
