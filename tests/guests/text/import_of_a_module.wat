;; Wants a whole core module.
(component
  (import "a-module" (core module (export "run" (func)))))
