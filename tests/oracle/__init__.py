"""An oracle for the exploration answers: the same questions, asked of DuckDB from the words of the catalogue alone."""
