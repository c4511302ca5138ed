"""Why linking fails: the causes as data, and the ways to tell them apart."""
