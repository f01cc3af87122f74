"""How it runs: the Prefect server and what it needs."""
