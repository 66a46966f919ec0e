"""The services of Handrail; they know each other only through `proto/`."""
