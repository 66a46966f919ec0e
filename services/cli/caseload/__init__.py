"""A caseload: a file of people who are mid-pathway, read and taken over."""
