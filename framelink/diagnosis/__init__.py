"""What is on a line, and what is wrong with it: `detect` reads formats off bytes, `doctor` examines lines."""
