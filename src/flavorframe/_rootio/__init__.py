"""Reading ROOT files: branches, baskets, pages, codecs, and the compiled part."""
