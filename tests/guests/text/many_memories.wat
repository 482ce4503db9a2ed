;; Has more memories than one limit is kept for.
(memory (export "memory") 4)
(memory 1) (memory 1) (memory 1) (memory 1) (memory 1) (memory 1) (memory 1)
