;; Has a memory for threads.
(component
  (core module $m (memory 1 1 shared))
  (core instance (instantiate $m)))
