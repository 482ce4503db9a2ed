;; Has a memory that 64 bits address.
(component
  (core module $m (memory i64 1))
  (core instance (instantiate $m)))
