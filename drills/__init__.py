"""Drills: proofs that a user can run against real parts, in a home of their own that is thrown away afterwards."""
