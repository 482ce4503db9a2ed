;; Its core module wants what is not there, by a name that would colour a terminal and forge a line.
(component
  (core module $m (import "\1b[31m\0aengine: all is well" "\1b[2J" (func)))
  (core instance (instantiate $m)))
