;; Says of itself brackets within brackets, 60,000 deep.
(memory (export "memory") 8)
(data $manifest (i32.const 1024) "")
(data (i32.const 1000) "\00\00\02\00\60\ea\00\00")
(func (export "notification:engine/notification-target@0.1.0#describe") (result i32)
  (memory.fill (i32.const 131072) (i32.const 91) (i32.const 60000))
  (i32.const 1000))
