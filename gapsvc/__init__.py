"""gapsvc: children's care gaps, found in the EHR and shown where they can be closed."""

SOFTWARE = "gapsvc"
VERSION = "0.1.0"
