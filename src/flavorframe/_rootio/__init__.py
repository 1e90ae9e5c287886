"""Reading ROOT files: from the bytes of a TTree or an RNTuple to flat arrays.

How a column is read, in order, and where to find each step:

1. ``open_files``: a file is opened once, for all partitions and threads.
2. ``root_file``: an open file: its tree, schema and columns. ``opening`` has what that takes: local
   files, files on servers, how the tree is found, and uproot's models of ROOT's classes.
3. ``schema``: what layouts see of a file. ``branches`` fills it, with ``tree.interpretation`` for
   the branches of a TTree and ``ntuple.fields`` for the fields of an RNTuple.
4. ``tree``: the columns of a TTree. ``tree.reader`` decides how a branch is read;
   ``tree.basket_table`` says where its baskets lie, and ``tree.baskets`` has them read by the
   compiled part, in one call. Of a basket that several partitions share, ``tree.partial_baskets``
   takes what is needed. uproot reads whatever the compiled part does not know.
5. ``ntuple``: the columns of an RNTuple: ``ntuple.reader``, ``ntuple.clusters``,
   ``ntuple.page_columns``, and ``ntuple.checksums``.
6. Decompression: ``native/codecs.c`` with the system's libraries, ``codecs`` with Python packages;
   ``compressed_blocks`` for parts of what is compressed, and ``piece_cache`` for what partitions
   share. To add a codec, begin in ``codecs``.
7. ``arrays``: what comes out.

``compiled`` is the one place that imports the part in C (``native/``). Whatever fails on the way is
turned into an error of the file by ``failures``.
"""
