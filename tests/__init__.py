"""The tests mirror `src/`; beside them stand the requirements, the attacks, and the programs of other people."""
