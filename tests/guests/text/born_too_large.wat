;; Begins with 128 MiB of memory.
(memory (export "memory") 2048)
