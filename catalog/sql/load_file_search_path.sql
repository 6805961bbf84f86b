-- The same from the server's files, which only privileged roles may read. The last line that sets it counts.
SELECT setting
  FROM pg_catalog.pg_file_settings
 WHERE name = 'search_path' AND error IS NULL
 ORDER BY seqno DESC
 LIMIT 1
