;; Has four memories, each within the limit, and far beyond it together.
(memory (export "memory") 4)
(memory 1000) (memory 1000) (memory 1000)
