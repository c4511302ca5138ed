"""The doctor's checks, one file a subject. Each takes what it needs and gives findings; none raises."""
