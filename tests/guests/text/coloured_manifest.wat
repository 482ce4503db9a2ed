;; Says of itself what would clear a terminal.
(data $manifest (i32.const 1024) "{\"name\":\"Text\",\"version\":\"1.0.0\",\"summary\":\"\\u001b[2J\",\"address\":{\"title\":\"Anything\",\"example\":\"anything\"}}")
(data (i32.const 1000) "\00\04\00\00\6b\00\00\00")
(func (export "notification:engine/notification-target@0.1.0#describe") (result i32) (i32.const 1000))
