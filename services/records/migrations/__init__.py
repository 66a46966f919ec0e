"""Migrations of the schema `records`, run as its owner."""
