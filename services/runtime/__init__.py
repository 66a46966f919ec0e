"""What every process needs, and nothing clinical: settings, logs, errors, identity, servers, clients, clock."""
