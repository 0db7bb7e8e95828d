"""Data models: what classes there are, their elements, bases and conversions (CQL §Data Models, ModelInfo)."""
