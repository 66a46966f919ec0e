"""What may be reported, what the guideline says, what is scheduled; the door to Temporal. No database."""
