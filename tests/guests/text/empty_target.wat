;; Exports the right name, and nothing behind it.
(component
  (instance $target)
  (export "notification:engine/notification-target@0.1.0" (instance $target)))
