"""What a run needs beside its data, brought to where it runs."""
