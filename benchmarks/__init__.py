"""Ratios against a floor in the same run; absolute seconds on a shared machine say little."""
