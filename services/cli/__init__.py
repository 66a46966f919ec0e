"""The command line of Handrail, and the supervisor that `handrail up` runs."""
