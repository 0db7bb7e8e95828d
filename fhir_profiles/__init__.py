"""Evaluation results as FHIR JSON, and the FHIR artefacts that the service publishes. Pure: values in, plain dicts out.

`deqm` builds reports and gap bundles; `outcome`, `capability` and `artifacts` the rest of the server's face;
`validate` holds resources to the DEQM profiles' tables in `constraints`.
"""
