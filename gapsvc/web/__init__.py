"""Pages for people, made on the server (architecture.md, gapsvc/web)."""
