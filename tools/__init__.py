"""What developers run: set-up, generators, benchmarks."""
