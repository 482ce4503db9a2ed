;; Never ends, before anything is called: its start function loops.
(func $start (loop $again (br $again)))
(start $start)
