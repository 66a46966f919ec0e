"""How fast Handrail is beside what it stands on: the same server, the same run, one table."""
