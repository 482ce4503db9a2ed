;; Says of itself 100 KiB.
(memory (export "memory") 8)
(data $manifest (i32.const 1024) "")
(data (i32.const 1000) "\00\00\02\00\00\90\01\00")
(func (export "notification:engine/notification-target@0.1.0#describe") (result i32)
  (memory.fill (i32.const 131072) (i32.const 32) (i32.const 102400))
  (i32.const 1000))
