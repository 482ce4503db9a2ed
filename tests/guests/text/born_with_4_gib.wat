;; Begins with all the memory that 32 bits can address.
(memory (export "memory") 65536)
