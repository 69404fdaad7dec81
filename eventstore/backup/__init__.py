"""Backups of an event database: writing, checking and restoring a file of frames.

The backup format ``trackrecord-backup/1``, byte for byte
---------------------------------------------------------

A file begins with the line ``trackrecord-backup/1`` (with its newline). Frames follow, to the end
of the file. A frame is

1. the length of its body, 4 bytes, big-endian,
2. the body: a zlib stream (RFC 1950) of one MessagePack map,
3. SHA-256 over the checksum of the frame before it (32 zeros for the first one), the length and the
   body. A frame that was changed, dropped, moved, repeated or cut off is therefore detected, and
   the error names its number.

The map's ``type`` is

- ``beginning``, the first frame: ``log`` (the id of the log, 16 bytes), ``epoch``, ``parts`` (how
  many partitions it has) and ``made_at`` (RFC 3339, UTC);
- ``rows``: a slice of one ``table`` with its ``columns`` and ``rows``. A value is an integer, a
  string, bytes or nil; ids are 16 bytes. The events come first, by partition and position, then
  the log's other tables, then the operational tables;
- ``end``, the last frame: ``heads``, the newest position of each partition, and ``counts``, the
  number of rows of each table.

A file without its last frame is unfinished; the next backup to the same file continues it.
"""
