"""Reading ROOT files: from the bytes of a TTree or an RNTuple to flat arrays.

How a column is read, in order, and where to find each step:

1. ``open_files``: a file is opened once, for all partitions and threads.
2. ``root_file``: an open file: its tree, schema and columns. ``opening`` has what that takes: local
   files, files on servers, how the tree is found, and uproot's models of ROOT's classes.
   ``source`` is what both kinds of files offer: ranges of bytes.
3. ``schema``: what layouts see of a file. ``branches`` fills it, with ``tree.interpretation`` for
   the branches of a TTree and ``ntuple.fields`` for the fields of an RNTuple. ``contents`` says
   what is in them: values, lists, or objects with members; ``vectors`` and ``tree.split_vectors``
   know those of ROOT's vectors. ``tree.narrow_numbers`` has ``Float16_t`` and ``Double32_t``.
4. ``tree``: the columns of a TTree. ``tree.reader`` decides how a branch is read;
   ``tree.basket_table`` says where its baskets lie, and ``tree.baskets`` has them read by the
   compiled part, in one call. Of a basket that several partitions share, ``tree.partial_baskets``
   takes what is needed. uproot reads whatever the compiled part does not know, and
   ``from_awkward`` takes over what it gives.
5. ``ntuple``: the columns of an RNTuple: ``ntuple.reader``, ``ntuple.clusters``,
   ``ntuple.page_columns``, and ``ntuple.checksums``.
6. Decompression: ``native/codecs.c`` with the system's libraries, ``codecs`` with Python packages;
   ``compressed_blocks`` for parts of what is compressed, and ``piece_cache`` for what partitions
   share. To add a codec, begin in ``codecs``.
7. ``arrays``: columns as they are read.

``compiled`` is the one place that imports the part in C (``native/``), and ``list_indices`` has the
loops over lists that need no file. ``event_ranges`` splits a range of events at baskets and
clusters. ``other_trees`` reads small trees beside the events whole. ``read_stats`` measures the
seconds and bytes of each stage. ``read_errors`` turns what libraries raise into errors of the file.
``own_process`` tunes memory and garbage collection, in processes whose owner asks for it.
"""
