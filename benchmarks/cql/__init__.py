"""Figures of the CQL engine (`make bench-cql`): a measure of the size of CMS117, single clauses, start-up."""
