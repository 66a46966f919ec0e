"""When things happen: one durable workflow a person, and its children. I/O is in `activities`."""
