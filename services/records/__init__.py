"""The record: people, events, facts, items, referrals; PostgreSQL behind gRPC, and nobody else opens the database."""
