"""Files: where they are and whose, of which version, read from servers, written whole."""
