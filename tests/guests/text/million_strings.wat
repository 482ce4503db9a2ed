;; Names a million notifications in one request, each an empty string.
(import "notification:engine/http@0.1.0" "send"
  (func $send (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))
(memory (export "memory") 256)
(data (i32.const 4096) "GEThttps://provider.example/")
(data (i32.const 800) "\00\00\00\00\01\00\00\00")
(func (export "notification:engine/notification-target@0.1.0#send-notifications") (param i32 i32) (result i32)
  (call $send
    (i32.const 4096) (i32.const 3) (i32.const 4099) (i32.const 25) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
    (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 1048576) (i32.const 1000000) (i32.const 6000))
  (i32.const 800))
