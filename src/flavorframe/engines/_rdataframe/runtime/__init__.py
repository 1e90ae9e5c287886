"""ROOT at work: its graphs, its process, and what it gives."""
